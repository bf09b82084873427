//! The smallest IAM policy that allows a verb to do its work for this configuration.
//!
//! Source of actions and resources: "Actions, resources, and condition keys for AWS Lambda" in the Service
//! Authorization Reference, and the same pages of the other services. A test compares the policy with the calls that
//! each verb really makes.

mod attachments;
mod code;
mod document;
mod function;
mod layer;
mod live;
mod names;
mod place;
mod statements;
mod values;

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) use document::MOST;
pub(crate) use names::Patterns;

use crate::deployment::{Deployment, LayerDeployment, Target};
use crate::settings::FunctionName;
use place::Place;
use statements::{Only, Statements, any};

/// What a policy is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For<'a> {
    /// Deploying a function.
    Deploy(&'a Deployment),
    /// Deploying a layer.
    DeployLayer(&'a LayerDeployment),
    /// The plan for a function.
    Plan(&'a Deployment),
    /// The plan for a layer.
    PlanLayer(&'a LayerDeployment),
    /// A verb about a live function.
    Live(LiveVerb, &'a FunctionName, &'a Target),
    /// The log of a function, which is in this group; absent: in Lambda's own.
    Logs(&'a FunctionName, &'a Target, Option<&'a str>),
    /// What `doctor` reads for a function.
    Doctor(&'a FunctionName, &'a Target),
    /// The list of the functions of a Region.
    List,
}

/// A verb about a live function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveVerb {
    /// Invokes it.
    Invoke,
    /// Shows its state.
    Status,
    /// Writes its block.
    Init,
    /// Deletes it or a version of it.
    Delete,
    /// Moves an alias back.
    Rollback,
}

/// A policy.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The account that it is for; absent if the configuration does not say it for each deployment.
    pub account: Option<String>,
    /// The IAM document.
    pub document: Value,
}

/// The policies for all of these. There are several for several accounts, and if one would be larger than IAM takes.
/// Unknown parts of an ARN, such as the account, are `*`. `patterns` stand for the names that fit them.
pub(crate) fn policies(all: &[For<'_>], patterns: &Patterns) -> Vec<Policy> {
    let accounts: BTreeSet<_> = all.iter().filter(|one| !matches!(one, For::List)).map(For::account).collect();
    let mut known = accounts.iter().flatten();
    let (first, second) = (known.next(), known.next());
    if second.is_none() {
        let only = first.filter(|_| accounts.len() == 1);
        return of_account(only.map(String::as_str), all.iter().copied(), patterns);
    }
    // Every account has functions to list.
    let are_of = |one: &For<'_>, account: &Option<String>| matches!(one, For::List) || one.account() == *account;
    let of = |account: Option<String>| {
        let theirs: Vec<_> = all.iter().copied().filter(|one| are_of(one, &account)).collect();
        of_account(account.as_deref(), theirs, patterns)
    };
    accounts.into_iter().flat_map(of).collect()
}

fn of_account<'a>(account: Option<&str>, all: impl IntoIterator<Item = For<'a>>, patterns: &Patterns) -> Vec<Policy> {
    let mut statements = Statements::default();
    all.into_iter().for_each(|one| one.allow(&mut statements));
    let statements = statements.renamed(|arn| patterns.shortened(arn)).grouped();
    let policy = |document| Policy { account: account.map(str::to_owned), document };
    document::documents(statements).into_iter().map(policy).collect()
}

impl For<'_> {
    /// The account of the identity; `None` if the configuration does not say it.
    fn account(&self) -> Option<String> {
        let place = match self {
            Self::Deploy(deployment) | Self::Plan(deployment) => Place::of(deployment),
            Self::DeployLayer(layer) | Self::PlanLayer(layer) => Place::of_target(&layer.target),
            Self::Live(_, function, target) | Self::Logs(function, target, _) | Self::Doctor(function, target) => {
                Place::of_named(function, target)
            }
            Self::List => return None,
        };
        Some(place.account).filter(|account| account != "*")
    }

    fn allow(self, statements: &mut Statements) {
        statements.only = match self {
            Self::Plan(_) | Self::PlanLayer(_) => Only::Reads,
            Self::Deploy(_)
            | Self::DeployLayer(_)
            | Self::Live(..)
            | Self::Logs(..)
            | Self::Doctor(..)
            | Self::List => Only::All,
        };
        match self {
            Self::Deploy(deployment) | Self::Plan(deployment) => function::of_function(statements, deployment),
            Self::DeployLayer(layer) | Self::PlanLayer(layer) => layer::of_layer(statements, layer),
            Self::Live(verb, function, target) => live::of_verb(statements, verb, function, target),
            Self::Logs(function, target, group) => live::of_logs(statements, function, target, group),
            Self::Doctor(function, target) => {
                live::of_verb(statements, LiveVerb::Status, function, target);
                // The policy does not know who has it.
                statements.read(&["iam:SimulatePrincipalPolicy", "lambda:GetAccountSettings"], any());
            }
            Self::List => statements.read(&["lambda:ListFunctions"], any()),
        }
    }
}
