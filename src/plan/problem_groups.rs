//! Problems by what they are: all counted, of each kind the first ones kept. A million bad rows need no more memory
//! than a hundred.

use crate::contacts::Problem;

/// Problems of one kind, in one column.
#[derive(Debug, Clone)]
pub struct ProblemGroup {
    /// The name of the kind, for programs.
    pub kind: &'static str,
    /// What is wrong.
    pub head: String,
    /// In which column, where it is about one.
    pub column: Option<String>,
    /// How many.
    pub count: u64,
    /// The advice, where it is the same for all.
    pub advice: Option<String>,
    /// The first ones; of those that say the same, the first.
    pub examples: Vec<Example>,
}

/// One problem, and how many say the same.
#[derive(Debug, Clone)]
pub struct Example {
    /// The first of them.
    pub problem: Problem,
    /// How many.
    pub count: u64,
}

/// The groups in the order in which they came up.
#[derive(Debug, Clone, Default)]
pub struct ProblemGroups(Vec<ProblemGroup>);

impl ProblemGroup {
    /// How many examples are kept.
    pub const EXAMPLES_MAX: usize = 5;

    fn of(problem: &Problem) -> Self {
        Self {
            kind: problem.kind.name(),
            head: problem.kind.headline(),
            column: problem.column.clone(),
            count: 0,
            advice: Some(problem.advice.clone()),
            examples: Vec::new(),
        }
    }

    fn add(&mut self, problem: &Problem) {
        self.count += 1;
        if self.advice.as_ref().is_some_and(|advice| *advice != problem.advice) {
            self.advice = None;
        }
        let says_the_same = |e: &&mut Example| {
            !e.problem.value.is_empty() && e.problem.value == problem.value && e.problem.advice == problem.advice
        };
        if let Some(example) = self.examples.iter_mut().find(says_the_same) {
            example.count += 1;
        } else if self.examples.len() < Self::EXAMPLES_MAX {
            self.examples.push(Example { problem: problem.clone(), count: 1 });
        }
    }

    /// How many are in none of the examples.
    pub fn left_out(&self) -> u64 {
        self.count - self.examples.iter().map(|e| e.count).sum::<u64>()
    }
}

impl ProblemGroups {
    /// One more problem.
    pub fn add(&mut self, problem: &Problem) {
        let (kind, head) = (problem.kind.name(), problem.kind.headline());
        let is_it = |g: &ProblemGroup| g.kind == kind && g.column == problem.column && g.head == head;
        let at = self.0.iter().position(is_it).unwrap_or_else(|| {
            self.0.push(ProblemGroup::of(problem));
            self.0.len() - 1
        });
        self.0[at].add(problem);
    }

    /// The groups, the largest first.
    pub fn largest_first(&self) -> Vec<&ProblemGroup> {
        let mut groups: Vec<&ProblemGroup> = self.0.iter().collect();
        groups.sort_by_key(|g| std::cmp::Reverse(g.count));
        groups
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
