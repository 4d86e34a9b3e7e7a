//! Cases at and around every bound: of the range, of the settings, of every deadline.

use crate::case::{Case, Record, Settings};
use crate::oracle::{self, CENTURY, MAX, MIN};

const DAY: i64 = 86_400;

/// `SplitMix64`: the same cases from the same seed.
#[derive(Clone, Copy, Debug)]
pub struct Draw(u64);

impl Draw {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0 and less than `bound`.
    pub fn below(&mut self, bound: i64) -> i64 {
        let product = u128::from(self.bits()) * u128::from(bound.unsigned_abs());
        i64::try_from(product >> 64).unwrap_or(i64::MAX)
    }

    fn one_of<const N: usize>(&mut self, choices: [i64; N]) -> i64 {
        let chosen = self.below(i64::try_from(N).expect("a few"));
        choices[usize::try_from(chosen).expect("an index")]
    }

    fn near(&mut self) -> i64 {
        self.below(5) - 2
    }

    /// Mostly within a few seconds of either bound.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high - low;
        match self.below(9) {
            0..4 => low + self.below(span.min(9) + 1),
            4..6 => high - self.below(span.min(2) + 1),
            6..8 => low + self.below(span.min(90_000) + 1),
            _ => low + self.below(span + 1),
        }
    }

    fn policy(&mut self) -> Settings {
        let cap = self.between(1, CENTURY);
        let max_age = self.between(1, cap);
        let any_skew = self.between(0, DAY);
        let skew = self.one_of([0, 60, any_skew]);
        [max_age, self.between(0, max_age - 1), cap, skew]
    }

    fn instant(&mut self) -> i64 {
        match self.below(8) {
            0..4 => 1_800_000_000 + self.below(10),
            4 => self.below(7) - 3,
            5 => MIN + self.below(200),
            6 => MAX - self.below(200),
            _ => MIN + self.below(MAX - MIN + 1),
        }
    }

    fn gap(&mut self, [max_age, update_age, cap, _]: Settings) -> i64 {
        (self.one_of([0, 1, 60, update_age, max_age, cap]) + self.near()).max(0)
    }

    /// As the policy starts it, with a ceiling or without, or adopts it, or as any other
    /// left it.
    fn record(&mut self, policy: Settings) -> Record {
        let at = self.instant();
        let kind = self.below(6);
        if kind < 4 {
            let gaps = self.gap(policy) + if kind == 3 { self.gap(policy) } else { 0 };
            let ceiling = if kind < 2 { MAX } else { (at + gaps).min(MAX) };
            let case = Case { now: at, ceiling, ..Case::of(policy) };
            let answer = oracle::answer(&case);
            let [renewed, expires, cap] = if kind < 3 { answer.started } else { answer.adopted };
            [at, renewed, expires, cap]
        } else {
            let mut instants = [at; 4];
            for place in 1..4 {
                instants[place] = (instants[place - 1] + self.gap(policy)).min(MAX);
            }
            instants
        }
    }

    /// Within 2 s of what the rule compares with.
    fn by_a_limit(&mut self, policy: Settings, record: Record) -> i64 {
        let [max_age, update_age, cap, skew] = policy;
        let [created, renewed, expires, absolute] = record;
        let limit = self.one_of([
            MIN,
            MAX,
            created - skew,
            created,
            renewed,
            renewed + update_age,
            renewed + max_age,
            expires,
            created + cap,
            absolute,
        ]);
        (limit + self.near()).clamp(MIN, MAX)
    }

    /// The next case.
    pub fn case(&mut self) -> Case {
        let (today, other) = (self.policy(), self.policy());
        let wrote = if self.below(2) == 0 { today } else { other };
        let record = self.record(wrote);
        let [created, .., absolute] = record;
        let uniform = MIN + self.below(MAX - MIN + 1);
        let limit = self.by_a_limit(today, record);
        let now = self.one_of([limit, limit, limit, limit, limit, limit, limit, uniform]);
        let ceilings = [self.by_a_limit(today, record), (now + self.gap(today)).min(MAX), uniform];
        let renewed = self.by_a_limit(today, record).clamp(created, absolute);
        let expires = self.by_a_limit(today, record).clamp(renewed, absolute);
        let onto = if self.below(2) == 0 { [record[1], record[2]] } else { [renewed, expires] };
        let interval = 2 + self.between(0, CENTURY);
        let laters = [
            self.by_a_limit(today, record),
            (now + interval + self.near()).clamp(MIN, MAX),
            (now + interval / 2 + self.near()).clamp(MIN, MAX),
        ];
        let (ceiling, later) = (self.one_of(ceilings), self.one_of(laters));
        Case { today, other, record, now, ceiling, onto, interval, later }
    }

    /// Settings at and around the bounds of what a policy may be, valid or not.
    pub fn settings(&mut self) -> Settings {
        let cap = self.one_of([0, 1, 2, 60, CENTURY]) + self.near();
        let other = self.between(0, CENTURY);
        let max_age = self.one_of([0, 1, cap, other]) + self.near();
        let update_age = self.one_of([0, max_age, other]) + self.near();
        [max_age, update_age, cap, self.one_of([0, 60, DAY]) + self.near()]
    }

    /// Four instants at and around each other and the ends of the range, in order or not.
    pub fn instants(&mut self) -> Record {
        let base = self.one_of([MIN, 0, 1_800_000_000, MAX]);
        core::array::from_fn(|_| base + self.near())
    }
}

impl Case {
    /// A case of a policy, all of whose instants are the epoch.
    const fn of(today: Settings) -> Self {
        Self {
            today,
            other: today,
            record: [0; 4],
            now: 0,
            ceiling: 0,
            onto: [0; 2],
            interval: 2,
            later: 0,
        }
    }
}
