//! A sample of amounts in a few figures.

use serde::Serialize;

/// What a sample of amounts looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// How many amounts there are; at least 1.
    pub count: u64,
    /// All together, stopping at the largest number.
    pub sum: u64,
    /// Half of them are at most this.
    pub median: u64,
    /// Nine of ten are at most this; the largest of fewer than ten.
    pub p90: u64,
    /// The largest.
    pub max: u64,
}

impl Spread {
    /// The figures of a sample; none when it is empty.
    #[must_use]
    pub fn of(mut amounts: Vec<u64>) -> Option<Self> {
        amounts.sort_unstable();
        Some(Self {
            count: amounts.len() as u64,
            sum: amounts
                .iter()
                .fold(0, |sum: u64, one| sum.saturating_add(*one)),
            median: rank(&amounts, 50)?,
            p90: rank(&amounts, 90)?,
            max: *amounts.last()?,
        })
    }

    /// The mean, rounded up.
    #[must_use]
    pub fn mean(&self) -> u64 {
        self.sum.div_ceil(self.count.max(1))
    }
}

/// The smallest amount that at least so many percent do not exceed.
fn rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(Spread::of(vec![]), None);
        for (amounts, expect) in [
            (vec![7], (1, 7, 7, 7, 7)),
            (vec![3, 1], (2, 4, 1, 3, 3)),
            ((1..=10).collect(), (10, 55, 5, 9, 10)),
            ((1..=100).collect(), (100, 5050, 50, 90, 100)),
            (
                vec![u64::MAX, u64::MAX],
                (2, u64::MAX, u64::MAX, u64::MAX, u64::MAX),
            ),
        ] {
            let found = Spread::of(amounts).unwrap();
            assert_eq!(
                (found.count, found.sum, found.median, found.p90, found.max),
                expect
            );
        }
        assert_eq!(Spread::of(vec![1, 2]).unwrap().mean(), 2);
    }
}
