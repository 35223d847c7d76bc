//! Work shared out over threads so that the answer never depends on how many there are: every piece of output is
//! made by exactly one thread, in an order fixed by the piece and not by the schedule.

use std::sync::{LazyLock, Mutex};

/// Number of worker threads to use when the caller does not say: what the machine offers. Asked once, for the answer
/// is made of several files.
pub(crate) fn available() -> usize {
    static OFFERED: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    *OFFERED
}

/// Runs `work` on every item of `pieces`, on at most `threads` threads, each with its own `scratch`.
pub(crate) fn for_each<I, S>(
    threads: usize,
    pieces: I,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I::Item) + Sync,
) where
    I: ExactSizeIterator + Send,
    I::Item: Send,
{
    let threads = threads.clamp(1, pieces.len().max(1));
    if threads == 1 {
        let mut own = scratch();
        for piece in pieces {
            work(&mut own, piece);
        }
        return;
    }
    let queue = Mutex::new(pieces);
    let worker = || {
        let mut own = scratch();
        loop {
            let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            let Some(piece) = next else { return };
            work(&mut own, piece);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
}

/// The results of `work` for `0..count`, in order.
pub(crate) fn map<T: Send, S>(
    threads: usize,
    count: usize,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let mut out: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
    for_each(threads, out.iter_mut().enumerate(), scratch, |own, (index, slot)| {
        *slot = Some(work(own, index));
    });
    out.into_iter().flatten().collect()
}
