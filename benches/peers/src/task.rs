//! Work that is measured.

use crate::app::App;

/// A piece of work under a name, which checks its own outcome.
#[expect(missing_debug_implementations, reason = "a function has none to show")]
pub struct Task {
    /// Who does it.
    pub name: &'static str,
    run: Box<dyn FnMut()>,
}

/// The same work, done in several ways.
#[expect(missing_debug_implementations, reason = "a function has none to show")]
pub struct Group {
    /// What is done.
    pub name: &'static str,
    /// How many times a round does it.
    pub batch: u32,
    /// In which ways. If `is_net`, the first does everything but the work itself,
    /// and its cost is taken off the others'.
    pub tasks: Vec<Task>,
    /// Whether the first is only the frame of the others.
    pub is_net: bool,
}

impl Task {
    /// Work by what does it.
    pub fn new(name: &'static str, run: impl FnMut() + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// Does it this many times.
    pub fn run(&mut self, times: u32) {
        for _ in 0..times {
            (self.run)();
        }
    }

    /// The same under a name of its own and never inlined, so that callgrind can
    /// be told to count here only.
    #[inline(never)]
    pub fn run_measured(&mut self, times: u32) {
        self.run(times);
    }
}

impl From<App> for Task {
    fn from(mut app: App) -> Self {
        Self::new(app.name, move || {
            app.serve();
        })
    }
}

impl Group {
    /// Ways that are compared as they are.
    #[must_use]
    pub fn new(name: &'static str, batch: u32, tasks: Vec<Task>) -> Self {
        Self { name, batch, tasks, is_net: false }
    }

    /// Applications, of which the first protects nothing.
    #[must_use]
    pub fn of_apps(name: &'static str, apps: Vec<App>) -> Self {
        let tasks = apps.into_iter().map(Task::from).collect();
        Self { name, batch: 200, tasks, is_net: true }
    }
}
