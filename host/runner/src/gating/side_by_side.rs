//! Calls of several gates at once.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` on each of `items`, on at most `jobs` threads, each of which begins with what `begin` makes. Answers stand in
/// the order of the items; one is missing where its thread has ended before its time.
pub(super) fn side_by_side<T: Sync, S, R: Send>(
    jobs: usize,
    items: &[T],
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<Option<R>> {
    let mut answers: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let one_thread = || {
            let (mut own, mut done) = (begin(), Vec::new());
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                match items.get(at) {
                    Some(item) => done.push((at, work(&mut own, item))),
                    None => return done,
                }
            }
        };
        let threads = 0..jobs.clamp(1, items.len().max(1));
        let threads: Vec<_> = threads.map(|_| scope.spawn(one_thread)).collect();
        for (at, answer) in threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
        {
            if let Some(place) = answers.get_mut(at) {
                *place = Some(answer);
            }
        }
    });
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_where_their_questions_do() {
        for jobs in [0, 1, 2, 9] {
            let items: Vec<u32> = (0..50).collect();
            let answers = side_by_side(jobs, &items, || 0, |_, item| item * 2);
            let expect: Vec<_> = items.iter().map(|item| Some(item * 2)).collect();
            assert_eq!(answers, expect);
        }
        assert_eq!(side_by_side(2, &[] as &[u8], || (), |(), _| ()), []);
    }

    #[test]
    fn whose_thread_ends_has_no_answer() {
        let answers = side_by_side(1, &[1, 2], || (), |(), item| assert_eq!(*item, 1));
        assert_eq!(answers, [None, None]);
    }
}
