//! The statements of a policy: which actions are allowed on which resources.
//!
//! Must not know what they are for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Every resource.
pub(super) fn any() -> Vec<String> {
    vec!["*".to_owned()]
}

/// A condition that holds if a key has one of these values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Condition {
    operator: &'static str,
    key: &'static str,
    values: BTreeSet<String>,
}

impl Condition {
    /// A condition. Its operator compares with each value.
    pub(super) fn new(operator: &'static str, key: &'static str, values: Vec<String>) -> Self {
        Self { operator, key, values: values.into_iter().collect() }
    }
}

/// Which of the rights a policy has.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    /// All of them.
    #[default]
    All,
    /// Those that read.
    Reads,
}

/// The allowed actions, by resource and condition.
#[derive(Default)]
pub(super) struct Statements {
    /// Which rights are added.
    pub only: Only,
    allowed: BTreeMap<(String, Option<Condition>), BTreeSet<&'static str>>,
}

impl Statements {
    /// Allows actions of every verb.
    pub(super) fn read(&mut self, actions: &[&'static str], resources: Vec<String>) {
        self.allow(actions, resources, None);
    }

    /// Allows actions of the verbs that change something.
    pub(super) fn write(&mut self, actions: &[&'static str], resources: Vec<String>) {
        self.write_if(actions, resources, None);
    }

    /// The same, under a condition.
    pub(super) fn write_if(&mut self, actions: &[&'static str], resources: Vec<String>, condition: Option<&Condition>) {
        if self.only == Only::All {
            self.allow(actions, resources, condition);
        }
    }

    fn allow(&mut self, actions: &[&'static str], resources: Vec<String>, condition: Option<&Condition>) {
        for resource in resources.into_iter().filter(|_| !actions.is_empty()) {
            self.allowed.entry((resource, condition.cloned())).or_default().extend(actions);
        }
    }

    /// The same rights with another name for each resource, also in conditions.
    pub(super) fn renamed(self, name: impl Fn(&str) -> String) -> Self {
        let mut renamed = Self { only: self.only, ..Self::default() };
        for ((resource, condition), actions) in self.allowed {
            let condition = condition.map(|condition| Condition {
                values: condition.values.iter().map(|value| name(value)).collect(),
                ..condition
            });
            renamed.allowed.entry((name(&resource), condition)).or_default().extend(actions);
        }
        renamed
    }

    /// The statements: one for the resources with the same actions.
    pub(super) fn grouped(self) -> Vec<Statement> {
        let mut resources: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for ((resource, condition), actions) in self.allowed {
            resources.entry((actions, condition)).or_default().insert(resource);
        }
        // Statements that differ only in the values of the condition hold for all of the values.
        let mut values: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for ((actions, condition), resources) in resources {
            let test = condition.as_ref().map(|condition| (condition.operator, condition.key));
            values
                .entry((resources, actions, test))
                .or_default()
                .extend(condition.into_iter().flat_map(|of| of.values));
        }
        let statement = |((resources, actions, test), values): ((_, BTreeSet<&'static str>, Option<_>), _)| Statement {
            resources,
            condition: test.map(|(operator, key)| Condition { operator, key, values }),
            actions,
        };
        values.into_iter().map(statement).collect()
    }
}

/// One statement: these actions are allowed on these resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    resources: BTreeSet<String>,
    condition: Option<Condition>,
    actions: BTreeSet<&'static str>,
}

impl Statement {
    /// The statement in the form of IAM.
    pub(super) fn json(&self) -> Value {
        let one_or_all = |values: &BTreeSet<String>| match values.first() {
            Some(only) if values.len() == 1 => json!(only),
            _ => json!(values),
        };
        let mut json = json!({ "Effect": "Allow", "Action": self.actions, "Resource": one_or_all(&self.resources) });
        if let Some(Condition { operator, key, values }) = &self.condition {
            json["Condition"] = json!({ *operator: { *key: one_or_all(values) } });
        }
        json
    }

    /// The number of values by which it can be divided: its resources, or those of its condition.
    pub(super) fn len(&self) -> usize {
        match &self.condition {
            Some(condition) if self.resources.len() == 1 => condition.values.len(),
            _ => self.resources.len(),
        }
    }

    /// Two statements with the same rights together: one for the first values, and one for the others.
    pub(super) fn divided(&self, first: usize) -> (Self, Self) {
        let (mut head, mut tail) = (self.clone(), self.clone());
        let parts = |values: &BTreeSet<String>| {
            let mut values = values.iter().cloned();
            (values.by_ref().take(first).collect(), values.collect())
        };
        match (&self.condition, &mut head.condition, &mut tail.condition) {
            (Some(whole), Some(head), Some(tail)) if self.resources.len() == 1 => {
                (head.values, tail.values) = parts(&whole.values);
            }
            _ => (head.resources, tail.resources) = parts(&self.resources),
        }
        (head, tail)
    }
}
