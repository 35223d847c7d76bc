//! Hears files with bliss-audio on as many cores as the first argument says; a line for each on stdout: its path and its
//! features, each multiplied by the square root of its weight, so that Euclidean distance is bliss-audio's own default one. The last
//! line has the seconds that it took.

use std::num::NonZeroUsize;
use std::time::Instant;

use bliss_audio::decoder::Decoder;
use bliss_audio::decoder::symphonia::SymphoniaDecoder;
use bliss_audio::{AnalysisOptions, FeaturesVersion};

fn main() {
    let mut words = std::env::args().skip(1);
    let cores = words.next().and_then(|n| n.parse().ok()).unwrap_or(NonZeroUsize::MIN);
    let weights = FeaturesVersion::LATEST.feature_weights();
    let options = AnalysisOptions { number_cores: cores, ..AnalysisOptions::default() };
    let began = Instant::now();
    for (path, heard) in SymphoniaDecoder::analyze_paths_with_options(words, options) {
        let Ok(song) = heard else {
            eprintln!("{}: not heard", path.display());
            continue;
        };
        let features = song.analysis.as_vec();
        let weighted = features.iter().enumerate().map(|(i, value)| value * weights[[i, i]].sqrt());
        let words: Vec<String> = weighted.map(|value| value.to_string()).collect();
        println!("{}\t{}", path.display(), words.join(" "));
    }
    println!("seconds\t{}", began.elapsed().as_secs_f64());
}
