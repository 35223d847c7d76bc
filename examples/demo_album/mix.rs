//! The room and the master: a reverberation of eight crossing delays, a gentle limiter, and measured loudness.

use crate::opus::RATE;

const SR: f64 = RATE as f64;
/// Lengths of the delays in frames; prime to each other, so that echoes never coincide.
const LINES: [usize; 8] = [1559, 1733, 2017, 2293, 2531, 2861, 3163, 3461];
/// Seconds in which the room falls by 60 dB.
const ROOM_SECONDS: f64 = 2.9;
/// Ceiling of the master: the codec may overshoot it by a decibel or so.
const CEILING: f32 = 0.72;

/// Reverberates `send` (a feedback network of delays after Jot).
pub(crate) fn room(send: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut lines: Vec<Vec<f32>> = LINES.iter().map(|n| vec![0.0; *n]).collect();
    let mut at = [0_usize; 8];
    let mut dull = [0.0_f32; 8];
    let gains: Vec<f32> =
        LINES.iter().map(|n| 10_f64.powf(-3.0 * *n as f64 / SR / ROOM_SECONDS) as f32).collect();
    let before = (0.022 * SR) as usize;
    let mut out = Vec::with_capacity(send.len());
    for n in 0..send.len() {
        let input = n.checked_sub(before).and_then(|n| send.get(n)).copied().unwrap_or([0.0; 2]);
        let mut heads = [0.0_f32; 8];
        for (i, head) in heads.iter_mut().enumerate() {
            let raw = lines[i][at[i]];
            dull[i] += (raw - dull[i]) * 0.62;
            *head = dull[i] * gains[i];
        }
        let left = heads[0] + heads[2] - heads[4] + heads[6];
        let right = heads[1] - heads[3] + heads[5] + heads[7];
        out.push([left * 0.36, right * 0.36]);
        let crossed = hadamard(heads);
        for i in 0..8 {
            lines[i][at[i]] = crossed[i] + input[i % 2] * 0.5;
            at[i] = (at[i] + 1) % LINES[i];
        }
    }
    out
}

/// Mixes eight signals so that their energy is kept.
fn hadamard(mut x: [f32; 8]) -> [f32; 8] {
    for step in [1, 2, 4] {
        for i in (0..8).filter(|i| i & step == 0) {
            (x[i], x[i + step]) = (x[i] + x[i + step], x[i] - x[i + step]);
        }
    }
    x.map(|v| v * 0.353_553_4)
}

/// Dry and wet together, without rumble, as loud as `drive` makes it, held below the ceiling by a limiter that
/// looks ahead.
pub(crate) fn master(dry: &[[f32; 2]], wet: &[[f32; 2]], drive: f32) -> Vec<[f32; 2]> {
    let slow = (1.0 - (-std::f64::consts::TAU * 24.0 / SR).exp()) as f32;
    let mut under = [0.0_f32; 2];
    let mixed: Vec<[f32; 2]> = dry
        .iter()
        .zip(wet)
        .map(|(d, w)| {
            [0, 1].map(|i: usize| {
                let x = (d[i] + w[i]) * drive;
                under[i] += (x - under[i]) * slow;
                x - under[i]
            })
        })
        .collect();
    limit(&mixed)
}

fn limit(mixed: &[[f32; 2]]) -> Vec<[f32; 2]> {
    const AHEAD: usize = 288;
    let wanted: Vec<f32> = mixed
        .iter()
        .map(|f| {
            let peak = f[0].abs().max(f[1].abs());
            if peak > CEILING { CEILING / peak } else { 1.0 }
        })
        .collect();
    // The lowest gain that any frame up to AHEAD asks for, smoothed over the same time: never too late.
    let mut lowest = vec![1.0_f32; wanted.len()];
    let mut queue: std::collections::VecDeque<usize> = std::collections::VecDeque::new();
    for n in 0..wanted.len() + AHEAD {
        if n < wanted.len() {
            while queue.back().is_some_and(|last| wanted[*last] >= wanted[n]) {
                queue.pop_back();
            }
            queue.push_back(n);
        }
        if let Some(out) = n.checked_sub(AHEAD) {
            while queue.front().is_some_and(|first| *first < out) {
                queue.pop_front();
            }
            lowest[out] = queue.front().map_or(1.0, |first| wanted[*first]);
        }
    }
    let release = 1.0 - (-1.0 / (0.18 * SR)).exp() as f32;
    let mut held = 1.0_f32;
    let held: Vec<f32> = lowest
        .iter()
        .map(|want| {
            held = want.min(held + (1.0 - held) * release);
            held
        })
        .collect();
    let mut sum = AHEAD as f32;
    mixed
        .iter()
        .enumerate()
        .map(|(n, frame)| {
            sum += held[n] - n.checked_sub(AHEAD).map_or(1.0, |old| held[old]);
            let gain = sum / AHEAD as f32;
            frame.map(|s| (s * gain).clamp(-CEILING, CEILING))
        })
        .collect()
}

/// Integrated loudness in LUFS by EBU R 128.
pub(crate) fn loudness(frames: &[[f32; 2]]) -> Option<f64> {
    let mut meter = ebur128::EbuR128::new(2, RATE, ebur128::Mode::I).ok()?;
    meter.add_frames_f32(frames.as_flattened()).ok()?;
    meter.loudness_global().ok()
}
