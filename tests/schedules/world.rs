use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use session_policy::store::StoreError;
use session_policy::{
    AuthenticateError, Authenticated, RotateError, SessionId, StartError, Started,
};

use super::explore::{Choices, Run};
use super::store::Store;

/// What a request came to.
#[derive(Debug)]
pub(crate) enum Answer {
    Authenticated(Result<Authenticated, AuthenticateError>),
    Ended(Result<bool, StoreError>),
    EndedAll(Result<u64, StoreError>),
    Rotated(Result<Started, RotateError>),
    Started(Result<Started, StartError>),
}

pub(crate) type Task = Pin<Box<dyn Future<Output = Answer>>>;

/// What happened in a step.
enum Step {
    Dropped(usize),
    /// Up to this call.
    Polled(usize, usize),
}

/// One store, and the requests that run over it.
pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    tasks: Vec<Option<Task>>,
    pub(crate) answers: Vec<Option<Answer>>,
    pub(crate) dropped: Vec<bool>,
    polls: Vec<u32>,
    drops: u32,
    trace: Vec<Step>,
    choices: Arc<Mutex<Choices>>,
}

impl World {
    pub(crate) fn new(choices: &Arc<Mutex<Choices>>, store: &Arc<Store>, tasks: Vec<Task>) -> Self {
        let count = tasks.len();
        Self {
            store: Arc::clone(store),
            tasks: tasks.into_iter().map(Some).collect(),
            answers: (0..count).map(|_| None).collect(),
            dropped: vec![false; count],
            polls: vec![0; count],
            drops: 0,
            trace: Vec::new(),
            choices: Arc::clone(choices),
        }
    }

    /// So many requests may be dropped, at any await.
    pub(crate) fn with_drops(self, drops: u32) -> Self {
        Self { drops, ..self }
    }

    /// One schedule: `always` after each step, `finally` once all have returned.
    pub(crate) fn run(
        mut self,
        always: impl Fn(&Self) -> Result<(), String>,
        finally: impl FnOnce(&Self) -> Result<(), String>,
    ) -> Run {
        loop {
            if !self.choices.lock().unwrap().is_new(|| self.state()) {
                return Run::Known;
            }
            let running: Vec<_> =
                (0..self.tasks.len()).filter(|&task| self.tasks[task].is_some()).collect();
            if running.is_empty() {
                return match finally(&self) {
                    Ok(()) => Run::Done,
                    Err(how) => self.broken(&how),
                };
            }
            let drops = if self.drops > 0 { running.len() } else { 0 };
            let choice = self.choices.lock().unwrap().choose(running.len() + drops);
            if let Some(task) = running.get(choice) {
                self.poll(*task);
            } else {
                self.drop(running[choice - running.len()]);
            }
            if self.store.redraw() {
                return Run::Redraw;
            }
            let repeats = self.choices.lock().unwrap().repeats();
            if !repeats && let Err(how) = always(&self) {
                return self.broken(&how);
            }
        }
    }

    pub(crate) fn is_running(&self, task: usize) -> bool {
        self.tasks[task].is_some()
    }

    /// What a request that starts or rotates handed out.
    pub(crate) fn handed_out(&self, task: usize) -> Option<&Started> {
        match &self.answers[task] {
            Some(Answer::Started(Ok(started)) | Answer::Rotated(Ok(started))) => Some(started),
            _ => None,
        }
    }

    pub(crate) fn holds(&self, id: SessionId) -> bool {
        self.store.row(id).is_some()
    }

    fn poll(&mut self, task: usize) {
        let future = self.tasks[task].as_mut().unwrap();
        self.store.runs(Some(task));
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.store.runs(None);
        self.polls[task] += 1;
        self.trace.push(Step::Polled(task, self.store.count_of_calls()));
        if let Poll::Ready(answer) = polled {
            self.answers[task] = Some(answer);
            self.tasks[task] = None;
        }
    }

    fn drop(&mut self, task: usize) {
        self.tasks[task] = None;
        self.dropped[task] = true;
        self.drops -= 1;
        self.trace.push(Step::Dropped(task));
    }

    fn broken(&self, how: &str) -> Run {
        let calls = self.store.calls();
        let (mut steps, mut told) = (Vec::new(), 0);
        for (at, step) in self.trace.iter().enumerate() {
            let (Step::Dropped(task) | Step::Polled(task, _)) = *step;
            if let Step::Polled(_, until) = *step {
                for call in &calls[told..until] {
                    let failed = if call.failed { " fails" } else { "" };
                    let changed = if call.changed { " changes" } else { "" };
                    steps.push(format!("{task} {}({}){changed}{failed}", call.verb, call.of));
                }
                told = until;
            } else {
                steps.push(format!("{task} dropped"));
            }
            let is_last = |later: &Step| !matches!(*later, Step::Polled(of, _) if of == task);
            if let Some(answer) = &self.answers[task]
                && self.trace[at + 1..].iter().all(is_last)
            {
                steps.push(format!("{task} = {}", word(answer)));
            }
        }
        Run::Broken(format!("{how}: {}", steps.join("; ")))
    }

    fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.store.hash(&mut hasher);
        (&self.polls, &self.dropped, self.drops).hash(&mut hasher);
        hasher.finish()
    }
}

fn word(answer: &Answer) -> String {
    match answer {
        Answer::Authenticated(Ok(served)) => format!("served, {:?}", served.renewal),
        Answer::Authenticated(Err(error)) => format!("{error}"),
        Answer::Ended(ended) => format!("ended {ended:?}"),
        Answer::EndedAll(ended) => format!("ended {ended:?}"),
        Answer::Rotated(Ok(_)) => "rotated".to_owned(),
        Answer::Rotated(Err(error)) => format!("not rotated: {error}"),
        Answer::Started(Ok(_)) => "started".to_owned(),
        Answer::Started(Err(error)) => format!("not started: {error}"),
    }
}
