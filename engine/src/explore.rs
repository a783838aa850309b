//! Walks every state a workflow can reach, without I/O, and draws what it found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Write;

use crate::{Actor, Anchor, Context, Role, Transition, Workflow, label};

/// The small world in which a workflow is walked: two people a role are enough to find a
/// four-eyes hole.
pub struct Universe<W: Workflow> {
    /// Where cases begin (and where cases in flight stand, for upgrade tests).
    pub starts: Vec<W::State>,
    /// Every command with representative arguments; those of deadlines are added by the walk.
    pub commands: Vec<W::Command>,
    /// Who may ask. The engine's own three roles are added by the walk.
    pub actors: Vec<Actor<W::Role>>,
    /// Every combination of facts that makes a difference.
    pub facts: Vec<W::Facts>,
    /// The configuration under which the walk is made.
    pub rules: W::Rules,
}

/// What the walk found.
pub struct Graph<W: Workflow> {
    /// Every state that can be reached.
    pub states: HashSet<W::State>,
    /// Every accepted step.
    pub steps: Vec<Step<W>>,
    /// State and command to outcomes, by name: the decision table.
    pub table: BTreeMap<(String, String), BTreeSet<String>>,
    /// States from which no end can be reached at all.
    pub stuck: Vec<W::State>,
    /// States that do not end by the clock alone, whatever the facts.
    pub endless: Vec<W::State>,
    /// States in which the clock's command leaves the very deadline armed that sent it.
    pub ticking: Vec<W::State>,
}

/// One accepted command, with who sent it and what was known.
pub struct Step<W: Workflow> {
    /// The state before.
    pub from: W::State,
    /// What was asked.
    pub command: W::Command,
    /// Who asked, knowing what.
    pub context: Context<W>,
    /// What was decided.
    pub transition: Transition<W>,
}

/// Breadth-first over states × commands × actors × facts; finite because states hold bounded data.
pub fn explore<W: Workflow>(universe: &Universe<W>) -> Graph<W> {
    let contexts = contexts(universe);
    let mut graph = Graph {
        states: universe.starts.iter().cloned().collect(),
        steps: Vec::new(),
        table: BTreeMap::new(),
        stuck: Vec::new(),
        endless: Vec::new(),
        ticking: Vec::new(),
    };
    let mut queue: VecDeque<W::State> = universe.starts.iter().cloned().collect();
    while let Some(state) = queue.pop_front() {
        for command in commands_in(universe, &state) {
            queue.extend(graph.visit(&state, &command, &contexts, &universe.rules));
        }
    }
    graph.stuck = graph.without_way_to_an_end(&universe.rules);
    graph.endless = graph.not_ended_by_the_clock(universe);
    graph.ticking = graph.ticking_for_ever(&universe.rules);
    graph
}

fn contexts<W: Workflow>(universe: &Universe<W>) -> Vec<Context<W>> {
    let machinery = [Actor::clock(), Actor::worker(), Actor::peer(crate::CaseId(1))];
    let actors = universe.actors.iter().cloned().chain(machinery);
    let with_facts = |actor: Actor<W::Role>| {
        universe
            .facts
            .iter()
            .map(move |facts| Context { actor: actor.clone(), facts: facts.clone() })
    };
    actors.flat_map(with_facts).collect()
}

fn commands_in<W: Workflow>(universe: &Universe<W>, state: &W::State) -> Vec<W::Command> {
    let mut commands = universe.commands.clone();
    for deadline in W::deadlines(state, &universe.rules) {
        if !commands.contains(&deadline.command) {
            commands.push(deadline.command);
        }
    }
    commands
}

impl<W: Workflow> Graph<W> {
    /// Sends one command in one state under every context; returns the states found newly.
    fn visit(
        &mut self,
        state: &W::State,
        command: &W::Command,
        contexts: &[Context<W>],
        rules: &W::Rules,
    ) -> Vec<W::State> {
        let mut found = Vec::new();
        let mut accepted = BTreeSet::new();
        // Most contexts are refused for few reasons, so these are named once, at the end.
        let mut refused: BTreeSet<(&'static str, W::Refusal)> = BTreeSet::new();
        for context in contexts {
            let role = context.actor.role.name();
            match W::decide(state, command, context, rules) {
                Ok(transition) => {
                    if self.states.insert(transition.to.clone()) {
                        found.push(transition.to.clone());
                    }
                    accepted.insert(format!("{role:<10} {}", told(&transition)));
                    let (from, command, context) =
                        (state.clone(), command.clone(), context.clone());
                    self.steps.push(Step { from, command, context, transition });
                }
                Err(refusal) => {
                    refused.insert((role, refusal));
                }
            }
        }
        let row = self.table.entry((label(state), label(command))).or_default();
        row.extend(accepted);
        row.extend(
            refused.iter().map(|(role, refusal)| format!("{role:<10} ✗ {}", label(refusal))),
        );
        found
    }

    fn without_way_to_an_end(&self, rules: &W::Rules) -> Vec<W::State> {
        let mut into: HashMap<&W::State, Vec<&W::State>> = HashMap::new();
        for step in &self.steps {
            into.entry(&step.transition.to).or_default().push(&step.from);
        }
        let mut good: HashSet<&W::State> =
            self.states.iter().filter(|s| W::is_end(s, rules)).collect();
        let mut queue: Vec<&W::State> = good.iter().copied().collect();
        while let Some(state) = queue.pop() {
            for from in into.remove(state).into_iter().flatten() {
                if good.insert(from) {
                    queue.push(from);
                }
            }
        }
        self.missing_from(&good)
    }

    /// A state ends by the clock alone when one of its deadlines is accepted under *all* facts
    /// and always leads to a state that ends by the clock alone.
    fn not_ended_by_the_clock(&self, universe: &Universe<W>) -> Vec<W::State> {
        let rules = &universe.rules;
        let mut good: HashSet<&W::State> =
            self.states.iter().filter(|s| W::is_end(s, rules)).collect();
        loop {
            let more: Vec<&W::State> = self
                .states
                .iter()
                .filter(|state| !good.contains(*state))
                .filter(|state| {
                    W::deadlines(state, rules).iter().any(|deadline| {
                        universe.facts.iter().all(|facts| {
                            let context = Context { actor: Actor::clock(), facts: facts.clone() };
                            W::decide(state, &deadline.command, &context, rules)
                                .is_ok_and(|transition| good.contains(&transition.to))
                        })
                    })
                })
                .collect();
            if more.is_empty() {
                return self.missing_from(&good);
            }
            good.extend(more);
        }
    }

    fn ticking_for_ever(&self, rules: &W::Rules) -> Vec<W::State> {
        let still_armed = |step: &&Step<W>| {
            let after = W::deadlines(&step.transition.to, rules);
            let entered_again = label(&step.from) != label(&step.transition.to);
            W::deadlines(&step.from, rules).into_iter().any(|deadline| {
                deadline.command == step.command
                    && step.context.actor.role == W::Role::CLOCK
                    && after.contains(&deadline)
                    && !step.transition.marks.contains(&deadline.anchor)
                    && !(deadline.anchor == Anchor::ENTERED && entered_again)
            })
        };
        let found: HashSet<W::State> =
            self.steps.iter().filter(still_armed).map(|step| step.from.clone()).collect();
        found.into_iter().collect()
    }

    fn missing_from(&self, good: &HashSet<&W::State>) -> Vec<W::State> {
        self.states.iter().filter(|state| !good.contains(state)).cloned().collect()
    }

    /// The state diagram as Mermaid text: one arrow a command, the messages behind it.
    pub fn mermaid(&self, rules: &W::Rules) -> String {
        let shown = |state: &W::State| label(state).replace('.', "_");
        let mut lines: BTreeSet<String> = BTreeSet::new();
        for step in &self.steps {
            let to = &step.transition.to;
            let mut line =
                format!("    {} --> {} : {}", shown(&step.from), shown(to), label(&step.command));
            for notice in &step.transition.notices {
                let _ = write!(line, " ✉{}", label(notice));
            }
            lines.insert(line);
            if W::is_end(to, rules) {
                lines.insert(format!("    {} --> [*]", shown(to)));
            }
        }
        lines.insert(format!("    [*] --> {}", shown(&W::start())));
        format!("stateDiagram-v2\n{}\n", lines.into_iter().collect::<Vec<_>>().join("\n"))
    }

    /// The decision table: under each state and command every role with what comes of it.
    /// Rows whose only outcomes are refusals are left out: absence means refusal.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for ((state, command), outcomes) in &self.table {
            if outcomes.iter().all(|outcome| outcome.contains('✗')) {
                continue;
            }
            let _ = writeln!(out, "{state} / {command}");
            for outcome in outcomes {
                let _ = writeln!(out, "    {outcome}");
            }
        }
        out
    }
}

fn told<W: Workflow>(transition: &Transition<W>) -> String {
    let mut text = format!("→ {}", label(&transition.to));
    for effect in &transition.effects {
        let _ = write!(text, " +{}", label(effect));
    }
    for notice in &transition.notices {
        let _ = write!(text, " ✉{}", label(notice));
    }
    for job in &transition.jobs {
        let _ = write!(text, " ⚙{}", label(job));
    }
    for signal in &transition.signals {
        let _ = write!(text, " ⇒{}", label(signal));
    }
    text
}
