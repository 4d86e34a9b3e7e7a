use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The choices of one run, and what is known from those before.
#[derive(Default)]
pub(crate) struct Choices {
    /// What is taken at each choice, out of how many.
    path: Vec<(usize, usize)>,
    depth: usize,
    /// From this depth on, the run goes where none went before.
    fresh: usize,
    /// How many schedules lead on from each state.
    seen: HashMap<u64, u128>,
    /// The states of this run, with their depths.
    way: Vec<(usize, u64)>,
    /// Of schedules that are drawn rather than enumerated.
    random: Option<u64>,
}

/// How a run came out.
pub(crate) enum Run {
    Broken(String),
    Done,
    /// From here on, everything was explored before.
    Known,
    /// The random ids came in an order that was not asked for.
    Redraw,
}

/// What an exploration came to.
#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) schedules: u128,
    pub(crate) states: usize,
    /// The first schedule that breaks the law, and how.
    pub(crate) broken: Option<String>,
}

impl Explored {
    #[track_caller]
    pub(crate) fn assert_holds(&self, what: &str) {
        println!("{what}: {} schedules, {} states", self.schedules, self.states);
        assert_eq!(self.broken, None, "{what}");
    }

    /// Of a planted fault.
    #[track_caller]
    pub(crate) fn assert_broken(&self, what: &str) {
        let broken = self.broken.as_deref().unwrap_or_else(|| {
            panic!("{what}: not found in {} schedules, {} states", self.schedules, self.states)
        });
        println!("{what}: found after {} schedules\n  {broken}", self.schedules);
    }
}

impl Choices {
    /// Which of `among`; a choice out of one is none.
    pub(crate) fn choose(&mut self, among: usize) -> usize {
        if among < 2 {
            return 0;
        }
        if let Some(state) = &mut self.random {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
            return usize::try_from(*state >> 33).unwrap() % among;
        }
        if self.depth == self.path.len() {
            self.path.push((0, among));
        }
        let (choice, of) = self.path[self.depth];
        assert_eq!(of, among, "a run depends on its choices alone");
        self.depth += 1;
        choice
    }

    /// Whether the run follows the one before, which was checked up to here.
    pub(crate) fn repeats(&self) -> bool {
        self.depth < self.fresh
    }

    /// Whether what comes after this state is still to be explored.
    pub(crate) fn is_new(&mut self, state: impl FnOnce() -> u64) -> bool {
        if self.random.is_some() || self.repeats() {
            return true;
        }
        let state = state();
        if self.way.last().is_some_and(|(_, last)| *last == state) {
            return true;
        }
        if let Some(known) = self.seen.get(&state).copied() {
            self.lead_to(known);
            return false;
        }
        self.seen.insert(state, 0);
        self.way.push((self.depth, state));
        true
    }

    fn lead_to(&mut self, schedules: u128) {
        for (_, state) in &self.way {
            *self.seen.get_mut(state).unwrap() += schedules;
        }
    }

    fn begin(&mut self) {
        self.depth = 0;
        self.fresh = self.path.len();
        let fresh = self.fresh;
        self.way.retain(|(depth, _)| *depth < fresh);
    }

    /// As before the run, which is then taken once more.
    fn forget(&mut self) {
        self.path.truncate(self.fresh);
        let fresh = self.fresh;
        for (_, state) in self.way.extract_if(.., |(depth, _)| *depth >= fresh) {
            self.seen.remove(&state);
        }
    }

    /// Whether there is another schedule.
    fn next(&mut self) -> bool {
        while self.path.pop_if(|(choice, of)| *choice + 1 == *of).is_some() {}
        match self.path.last_mut() {
            Some((choice, _)) => {
                *choice += 1;
                true
            }
            None => false,
        }
    }
}

/// Takes every schedule, up to the first that breaks the law.
pub(crate) fn every(mut run: impl FnMut(&Arc<Mutex<Choices>>) -> Run) -> Explored {
    let choices = Arc::new(Mutex::new(Choices::default()));
    let (mut schedules, mut broken) = (0, None);
    loop {
        choices.lock().unwrap().begin();
        let before = choices.lock().unwrap().way.first().copied();
        let ran = run(&choices);
        let mut choices = choices.lock().unwrap();
        match ran {
            Run::Broken(how) => broken = Some(how),
            Run::Done => choices.lead_to(1),
            Run::Known => {}
            Run::Redraw => {
                choices.forget();
                continue;
            }
        }
        // All schedules lead on from the first state.
        if let Some((_, first)) = choices.way.first().copied().or(before) {
            schedules = choices.seen[&first];
        }
        if broken.is_some() || !choices.next() {
            return Explored { schedules, states: choices.seen.len(), broken };
        }
    }
}

/// Takes `rounds` schedules that are drawn, up to the first that breaks the law.
pub(crate) fn drawn(rounds: u32, mut run: impl FnMut(&Arc<Mutex<Choices>>) -> Run) -> Explored {
    let random = Some(0x9e37_79b9_7f4a_7c15);
    let choices = Arc::new(Mutex::new(Choices { random, ..Choices::default() }));
    let mut explored = Explored { schedules: 0, states: 0, broken: None };
    while explored.schedules < u128::from(rounds) && explored.broken.is_none() {
        match run(&choices) {
            Run::Broken(how) => explored.broken = Some(how),
            Run::Done => explored.schedules += 1,
            Run::Known | Run::Redraw => {}
        }
    }
    explored
}
