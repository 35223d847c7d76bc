//! What runs in the device's real-time thread: frames from the renderer as the samples and channels that the device
//! takes. It allocates nothing, takes no lock and waits for nobody (`tests/real_time.rs` counts).

use std::sync::mpsc::Sender;

use cpal::{FromSample, SizedSample};

use crate::audio::Frame;
use crate::audio::ring::Renderer;

/// Frames rendered at a time.
const BLOCK: usize = 256;

/// The renderer behind a device. When the device drops it, the renderer goes home, so that the sound in its ring can go
/// on elsewhere.
pub struct Callback {
    renderer: Option<Renderer>,
    home: Sender<Renderer>,
    channels: usize,
    block: [Frame; BLOCK],
}

impl Callback {
    /// For a device of so many channels.
    pub(super) fn new(renderer: Renderer, channels: u16, home: Sender<Renderer>) -> Self {
        Callback {
            renderer: Some(renderer),
            home,
            channels: usize::from(channels.max(1)),
            block: [[0.0; 2]; BLOCK],
        }
    }

    /// Fills a device's buffer of interleaved samples. Stereo goes to the first two channels; a single one gets the
    /// mean of both.
    pub fn fill<T: SizedSample + FromSample<f32>>(&mut self, out: &mut [T]) {
        let Some(renderer) = &mut self.renderer else { return };
        for part in out.chunks_mut(BLOCK * self.channels) {
            let frames = part.len() / self.channels;
            let Some(block) = self.block.get_mut(..frames) else { return };
            renderer.render(block);
            for (samples, [left, right]) in part.chunks_exact_mut(self.channels).zip(block) {
                match samples {
                    [one] => *one = T::from_sample((*left + *right) * 0.5),
                    [first, second, rest @ ..] => {
                        *first = T::from_sample(*left);
                        *second = T::from_sample(*right);
                        rest.fill(T::EQUILIBRIUM);
                    }
                    [] => {}
                }
            }
        }
    }
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("channels", &self.channels).finish_non_exhaustive()
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(renderer) = self.renderer.take() {
            let _ = self.home.send(renderer);
        }
    }
}
