//! Any channel layout to stereo, by the coefficients of ITU-R BS.775: centre and surrounds at −3 dB, the
//! low-frequency channel left out, the whole scaled so that no combination of full-scale channels can clip.

use symphonia::core::audio::{Channels, Position};

use super::Frame;

const MINUS_3_DB: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// A down-mix for one channel layout.
#[derive(Debug, Clone)]
pub(super) struct Remix {
    layout: Channels,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Mono,
    Stereo,
    Matrix(Vec<Frame>),
}

impl Remix {
    /// The down-mix for `layout`; unnamed channels are taken in WAVE order.
    pub(super) fn new(layout: &Channels) -> Self {
        let count = layout.count();
        let positions = match layout {
            Channels::Positioned(positions) => Some(*positions),
            _ => Position::from_wave_channel_count(u32::try_from(count).unwrap_or(0)),
        };
        let kind = match (count, positions) {
            (1, _) => Kind::Mono,
            (2, None) => Kind::Stereo,
            (2, Some(p)) if p == Position::FRONT_LEFT | Position::FRONT_RIGHT => Kind::Stereo,
            (_, Some(positions)) => Kind::Matrix(matrix(positions)),
            (_, None) => Kind::Matrix(alternating(count)),
        };
        Remix { layout: layout.clone(), kind }
    }

    /// Whether this is the down-mix for `layout`.
    pub(super) fn fits(&self, layout: &Channels) -> bool {
        &self.layout == layout
    }

    /// Appends the stereo mix of interleaved samples to `out`.
    pub(super) fn apply(&self, interleaved: &[f32], out: &mut Vec<Frame>) {
        match &self.kind {
            Kind::Mono => out.extend(interleaved.iter().map(|&s| [s, s])),
            Kind::Stereo => out.extend_from_slice(interleaved.as_chunks::<2>().0),
            Kind::Matrix(rows) => out.extend(interleaved.chunks_exact(rows.len().max(1)).map(|frame| {
                frame
                    .iter()
                    .zip(rows)
                    .fold([0.0, 0.0], |[l, r], (s, [to_l, to_r])| [l + s * to_l, r + s * to_r])
            })),
        }
    }
}

/// Where each named channel goes, in the order of the samples in a frame.
fn matrix(positions: Position) -> Vec<Frame> {
    let rows: Vec<Frame> = positions.iter().map(weight).collect();
    normalised(rows)
}

fn weight(position: Position) -> Frame {
    const LEFT: [Position; 5] = [
        Position::FRONT_LEFT,
        Position::FRONT_LEFT_CENTER,
        Position::FRONT_LEFT_WIDE,
        Position::TOP_FRONT_LEFT,
        Position::BOTTOM_FRONT_LEFT,
    ];
    const RIGHT: [Position; 5] = [
        Position::FRONT_RIGHT,
        Position::FRONT_RIGHT_CENTER,
        Position::FRONT_RIGHT_WIDE,
        Position::TOP_FRONT_RIGHT,
        Position::BOTTOM_FRONT_RIGHT,
    ];
    const SURROUND_LEFT: [Position; 4] =
        [Position::SIDE_LEFT, Position::REAR_LEFT, Position::TOP_REAR_LEFT, Position::TOP_SIDE_LEFT];
    const SURROUND_RIGHT: [Position; 4] =
        [Position::SIDE_RIGHT, Position::REAR_RIGHT, Position::TOP_REAR_RIGHT, Position::TOP_SIDE_RIGHT];
    if LEFT.contains(&position) {
        [1.0, 0.0]
    } else if RIGHT.contains(&position) {
        [0.0, 1.0]
    } else if SURROUND_LEFT.contains(&position) {
        [MINUS_3_DB, 0.0]
    } else if SURROUND_RIGHT.contains(&position) {
        [0.0, MINUS_3_DB]
    } else if position == Position::LFE1 || position == Position::LFE2 {
        [0.0, 0.0]
    } else if position == Position::REAR_CENTER {
        [0.5, 0.5]
    } else {
        [MINUS_3_DB, MINUS_3_DB]
    }
}

/// Channels without names: even ones left, odd ones right.
fn alternating(count: usize) -> Vec<Frame> {
    normalised((0..count).map(|i| if i % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect())
}

fn normalised(mut rows: Vec<Frame>) -> Vec<Frame> {
    let sums = rows.iter().fold([0.0_f32, 0.0_f32], |[l, r], [a, b]| [l + a, r + b]);
    let loudest = sums[0].max(sums[1]).max(1.0);
    for row in &mut rows {
        row[0] /= loudest;
        row[1] /= loudest;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use symphonia::core::audio::layouts;

    fn mix(layout: &Channels, samples: &[f32]) -> Vec<Frame> {
        let mut out = Vec::new();
        Remix::new(layout).apply(samples, &mut out);
        out
    }

    #[test]
    fn mono_goes_to_both_sides_and_stereo_is_untouched() {
        assert_eq!(mix(&layouts::CHANNEL_LAYOUT_MONO, &[0.25, -1.0]), vec![[0.25, 0.25], [-1.0, -1.0]]);
        assert_eq!(mix(&layouts::CHANNEL_LAYOUT_STEREO, &[0.1, 0.2, 0.3, 0.4]), vec![[0.1, 0.2], [0.3, 0.4]]);
    }

    #[test]
    fn five_point_one_keeps_sides_apart_and_never_clips() {
        let full = mix(&layouts::CHANNEL_LAYOUT_5P1, &[1.0; 6]);
        assert!(full[0][0] <= 1.0 && full[0][0] > 0.99, "all channels at full scale just fit: {full:?}");
        let left_only = mix(&layouts::CHANNEL_LAYOUT_5P1, &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(left_only[0][0] > 0.4 && left_only[0][1].abs() < 1e-9);
        let centre = mix(&layouts::CHANNEL_LAYOUT_5P1, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert!((centre[0][0] - centre[0][1]).abs() < 1e-9);
        assert!((centre[0][0] / left_only[0][0] - MINUS_3_DB).abs() < 1e-6);
        let bass = mix(&layouts::CHANNEL_LAYOUT_5P1, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(bass, vec![[0.0, 0.0]]);
    }

    #[test]
    fn a_frame_that_is_cut_short_is_dropped() {
        assert_eq!(mix(&layouts::CHANNEL_LAYOUT_STEREO, &[0.1, 0.2, 0.3]).len(), 1);
        assert_eq!(mix(&Channels::Discrete(3), &[0.1; 7]).len(), 2);
    }
}
