//! Reads the values that a configuration keeps in AWS.
//!
//! Each parameter, secret, stack and state is read once, whatever number of references there are to it.

mod parameters;
mod secrets;
mod stacks;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream;

use super::Connection;
use crate::fault::Fault;
use crate::reference::{Found, Reference, State};
use parameters::Parameter;

/// The number of requests at the same time.
const AT_ONCE: usize = 8;

/// The values of some references, in their order.
type Answers = Vec<Result<Found, Fault>>;

/// A request for the values of some references.
type Request<'c> = Pin<Box<dyn Future<Output = Answers> + 'c>>;

/// References that one request answers, each with the part of it that the request does not share.
type Group<P> = (Vec<Reference>, Vec<P>);

/// Reads the values of references in AWS. A failed request fails only the references that it was for.
pub(crate) async fn read(
    connection: &Connection,
    references: BTreeSet<&Reference>,
) -> BTreeMap<Reference, Result<Found, Fault>> {
    let mut parameters: Vec<Group<Parameter>> = Vec::new();
    let mut secrets: BTreeMap<_, Group<Option<String>>> = BTreeMap::new();
    let mut stacks: BTreeMap<_, Group<String>> = BTreeMap::new();
    let mut states: BTreeMap<_, Group<String>> = BTreeMap::new();
    for reference in references {
        match reference {
            Reference::Parameter { name, selector } => {
                let parameter = Parameter { name: name.clone(), selector: selector.clone() };
                match parameters.iter_mut().find(|(_, batch)| parameter.fits(batch)) {
                    Some(batch) => add(batch, reference, parameter),
                    None => parameters.push((vec![reference.clone()], vec![parameter])),
                }
            }
            Reference::Secret { id, key, stage } => {
                add(secrets.entry((id, stage)).or_default(), reference, key.clone());
            }
            Reference::Output { stack, output } => add(stacks.entry(stack).or_default(), reference, output.clone()),
            Reference::State { state: State::Object { bucket, key }, output } => {
                add(states.entry((bucket, key)).or_default(), reference, output.clone());
            }
            // These are read without a request for a value, and functions by sessions.
            Reference::State { state: State::File { .. }, .. }
            | Reference::Account { .. }
            | Reference::Function { .. } => {}
        }
    }
    let mut requests: Vec<(Vec<Reference>, Request<'_>)> = Vec::new();
    for (of, batch) in parameters {
        requests.push((of, Box::pin(parameters::read(connection, batch))));
    }
    for ((id, stage), (of, keys)) in secrets {
        requests.push((of, Box::pin(secrets::read(connection, id, stage.as_deref(), keys))));
    }
    for (stack, (of, outputs)) in stacks {
        requests.push((of, Box::pin(stacks::read(connection, stack, outputs))));
    }
    for ((bucket, key), (of, outputs)) in states {
        requests.push((of, Box::pin(states::read(connection, bucket, key, outputs))));
    }
    let answered =
        requests.into_iter().map(async |(of, request)| of.into_iter().zip(request.await).collect::<Vec<_>>());
    stream::iter(answered).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten().collect()
}

fn add<P>((of, parts): &mut Group<P>, reference: &Reference, part: P) {
    of.push(reference.clone());
    parts.push(part);
}

impl Connection {
    /// The ARN of a resource in the Region and account of the connection, for messages.
    fn arn_of(&self, service: &str, resource: &str) -> String {
        let caller = self.caller();
        let account = caller.account.unwrap_or_else(|| "*".to_owned());
        caller.partition.arn(service, &caller.region, &account, resource)
    }
}
