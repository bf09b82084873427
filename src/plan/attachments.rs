//! What stands around the function: each thing as it should be, by its kind and key.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Plan;
use super::step::{Action, AttachmentChange, Step};
use crate::deployment::{Deployment, Keyed, Others};
use crate::remote::{Attached, Live};
use crate::settings::{AliasName, Aspect, Attachment, Belongs, Count, Difference, Setting, Structure};
use crate::sources::Source;

/// Ids of the statements that make a URL public; only these are ever touched without being named.
const URL_STATEMENTS: [&str; 2] = ["dpl-lambda-url", "dpl-lambda-url-invoke"];

/// The key of a URL that stands on the function itself, where an alias is managed.
const LATEST: &str = "$LATEST";

/// What the API never changes in a mapping that exists.
const FIXED: [&str; 6] =
    ["EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Topics", "Queues", "SelfManagedEventSource"];

/// Where the name of a group of consumers stands, which the API never changes either.
const CONSUMERS: [&str; 2] = ["AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"];

/// The code signing config that a new function is created with.
pub(super) fn code_signing(deployment: &Deployment) -> Option<String> {
    let wish = deployment.attachments.get(&Attachment::CodeSigning)?;
    wish.entries.values().flatten().find_map(|wanted| wanted.0.as_str().map(str::to_owned))
}

/// The same for people.
pub(super) fn code_signing_difference(deployment: &Deployment) -> Option<Difference> {
    let to = Some(code_signing(deployment)?.into());
    Some(Difference::whole(Aspect::Attachment(Attachment::CodeSigning), None, to))
}

/// The two statements that a public URL needs.
///
/// Source: "Control access to Lambda function URLs" in the Lambda guide; the second since October 2025.
fn url_statements() -> [(&'static str, Structure); 2] {
    let [url, invoke] = URL_STATEMENTS;
    let statement = |action: &str, condition: &str, value: Value| {
        Structure::of([("Action", json!(action)), ("Principal", json!("*")), (condition, value)])
    };
    [
        (url, statement("lambda:InvokeFunctionUrl", "FunctionUrlAuthType", json!("NONE"))),
        (invoke, statement("lambda:InvokeFunction", "InvokedViaFunctionUrl", json!(true))),
    ]
}

impl Plan {
    /// Attaches or detaches the code signing config of a live function, before any code is sent.
    pub(super) fn sign(&mut self, deployment: &Deployment, live: &Live) {
        if let Some(wish) = deployment.attachments.get(&Attachment::CodeSigning) {
            self.attach_kind(Attachment::CodeSigning, wish, deployment, Some(live));
        }
    }

    /// Everything else around the function.
    pub(super) fn attach(&mut self, deployment: &Deployment, live: Option<&Live>) {
        let mut wishes = deployment.attachments.clone();
        if let Some(url) = wishes.get(&Attachment::FunctionUrl) {
            let public = url_is_public(url, live);
            let nobody = Keyed { entries: BTreeMap::new(), others: Some(Others::Merge) };
            let mut wish = wishes.remove(&Attachment::Permissions).unwrap_or(nobody);
            for (id, statement) in statements_for(public, live, &wish) {
                wish.entries.entry(id).or_insert(statement);
            }
            wishes.insert(Attachment::Permissions, wish);
        }
        for attachment in Attachment::ALL.into_iter().filter(|attachment| *attachment != Attachment::CodeSigning) {
            let Some(wish) = wishes.get(&attachment) else { continue };
            self.attach_kind(attachment, wish, deployment, live);
        }
        if let Some(live) = live {
            self.tell_of_others(deployment, live);
        }
    }

    /// What stands elsewhere than where things are managed, and what is lost for good.
    fn tell_of_others(&mut self, deployment: &Deployment, live: &Live) {
        let alias = deployment.release.alias.as_ref().map(|alias| alias.0.as_str());
        let there = |kind| live.attachments.get(&kind).into_iter().flatten();
        for (_, url) in there(Attachment::FunctionUrl).filter(|(key, _)| key.as_str() == LATEST) {
            let address = url.handle.as_deref().unwrap_or_default();
            self.notes
                .push(format!("left alone: the function URL {address}, which stands on $LATEST and not on the alias"));
        }
        let wish = deployment.attachments.get(&Attachment::EventSources);
        let named = |key: &String| wish.is_some_and(|wish| wish.entries.contains_key(key));
        let elsewhere =
            there(Attachment::EventSources).filter(|(key, known)| known.alias.as_deref() != alias && !named(key));
        let elsewhere: Vec<_> = elsewhere.map(|(key, _)| key.as_str()).collect();
        if !elsewhere.is_empty() {
            let sources = elsewhere.join(", ");
            self.notes.push(format!("left alone: event sources that invoke $LATEST and not the alias: {sources}"));
        }
        let lost = self.removed(Attachment::FunctionUrl).and_then(|change| change.handle.clone());
        let lost =
            lost.map(|address| format!("{address} is lost for good: a function URL made later gets another address"));
        self.notes.extend(lost);
    }

    fn attach_kind(
        &mut self,
        attachment: Attachment,
        wish: &Keyed<Option<Structure>>,
        deployment: &Deployment,
        live: Option<&Live>,
    ) {
        let alias = deployment.release.alias.as_ref().filter(|_| attachment.belongs() == Belongs::Alias);
        let nothing = BTreeMap::new();
        let there = live.and_then(|live| live.attachments.get(&attachment)).unwrap_or(&nothing);
        let change = |key: &str, action, document, handle, differences| {
            let (key, alias) = (key.to_owned(), alias.cloned());
            Step::Attach(AttachmentChange { attachment, key, alias, action, document, handle, differences })
        };
        for (key, wanted) in &wish.entries {
            match (wanted, there.get(key)) {
                (Some(wanted), None) => {
                    let document = self.created(attachment, key, wanted);
                    let differences = differences(attachment, key, &document, None);
                    self.steps.push(change(key, Action::Create, document, None, differences));
                }
                (Some(wanted), Some(known)) => {
                    let wanted = self.changeable(attachment, key, wanted, known);
                    let mut differences = differences(attachment, key, &wanted, Some(known));
                    differences.extend(moved(attachment, key, alias, known));
                    if !differences.is_empty() {
                        let document = sent(attachment, &wanted, &known.document);
                        self.steps.push(change(key, Action::Update, document, known.handle.clone(), differences));
                    }
                }
                (None, Some(known)) => {
                    let (document, handle) = (known.document.clone(), known.handle.clone());
                    self.steps.push(change(key, Action::Remove, document, handle, Vec::new()));
                }
                (None, None) => {}
            }
        }
        let unnamed = there.iter().filter(|(key, known)| {
            let ours = attachment == Attachment::Permissions && URL_STATEMENTS.contains(&key.as_str());
            let elsewhere = known.alias.as_deref() != alias.map(|alias| alias.0.as_str());
            !wish.entries.contains_key(*key) && !ours && !elsewhere
        });
        let unnamed: Vec<_> = unnamed.collect();
        if wish.others == Some(Others::Replace) {
            for (key, known) in unnamed {
                let (document, handle) = (known.document.clone(), known.handle.clone());
                self.steps.push(change(key, Action::Remove, document, handle, Vec::new()));
            }
        } else if !unnamed.is_empty()
            && attachment.count() == Count::Many
            && deployment.attachments.contains_key(&attachment)
        {
            let names: Vec<_> = unnamed.iter().map(|(key, _)| key.as_str()).collect();
            let note = format!("left alone: {}s that are not named: {}", attachment.name(), names.join(", "));
            self.notes.push(note);
        }
    }

    /// What a new thing is going to be, with what AWS wants to hear.
    fn created(&mut self, attachment: Attachment, key: &str, wanted: &Structure) -> Structure {
        let mut document = wanted.clone();
        match attachment {
            Attachment::FunctionUrl => document.default_member("AuthType", "AWS_IAM"),
            Attachment::EventSources => self.can_begin(key, wanted),
            _ => {}
        }
        document
    }

    /// What a mapping needs when it is new.
    fn can_begin(&mut self, key: &str, wanted: &Structure) {
        let option = Attachment::EventSources.option();
        let source = Source::of_key(key);
        let begins = source.is_some_and(|source| source.has("StartingPosition"));
        if begins && wanted.get("StartingPosition").is_none() {
            let message = format!("`{key}` needs a `starting_position`, since the mapping is new");
            self.refuse_item(option, key, message, "set `starting_position` to LATEST, TRIM_HORIZON or AT_TIMESTAMP");
        }
        let at_once = wanted.number("MaximumBatchingWindowInSeconds").unwrap_or_default() == 0;
        if source == Some(Source::Sqs) && wanted.number("BatchSize").is_some_and(|size| size > 10) && at_once {
            let message = format!("`{key}` has a `batch_size` over 10, for which AWS wants to wait");
            self.refuse_item(option, key, message, "set `maximum_batching_window_in_seconds` to 1 at least");
        }
    }

    /// What of a wish can be brought about on a thing that is there. The rest must be so already.
    fn changeable(&mut self, attachment: Attachment, key: &str, wanted: &Structure, known: &Attached) -> Structure {
        let (Attachment::EventSources, Value::Object(members)) = (attachment, &wanted.0) else { return wanted.clone() };
        let mut members = members.clone();
        let mut fixed = Vec::new();
        for name in FIXED {
            fixed.extend(members.shift_remove(name).map(|value| (name, value, known.document.get(name))));
        }
        for name in CONSUMERS {
            let (wanted, live) = (members.get(name), known.document.get(name));
            let group = wanted.and_then(|wanted| wanted.get("ConsumerGroupId")).cloned();
            fixed.extend(
                group.map(|group| ("ConsumerGroupId", group, live.and_then(|live| live.get("ConsumerGroupId")))),
            );
        }
        for (name, value, live) in fixed {
            let unlike = live.is_some_and(|live| !Structure(value).is_met_by(&Structure(live.clone())));
            if unlike {
                let name = crate::settings::snake(name);
                let message = format!("`{key}` has another `{name}`, which AWS never changes on a mapping");
                let help = format!("leave `{name}` as it is, or remove the mapping first");
                self.refuse_item(attachment.option(), key, message, help);
            }
        }
        Structure(Value::Object(members))
    }
}

/// Whether everybody may call the URL that is wanted.
fn url_is_public(wish: &Keyed<Option<Structure>>, live: Option<&Live>) -> bool {
    let wanted = wish.entries.values().flatten().next();
    let there = live.and_then(|live| live.attachments.get(&Attachment::FunctionUrl)?.get(""));
    let auth = |document: &Structure| document.text("AuthType");
    let auth = wanted.and_then(auth).or_else(|| auth(&there?.document));
    wanted.is_some() && auth.as_deref() == Some("NONE")
}

/// What is sent to change a thing: no more than was named, unless the API drops what is not sent.
fn sent(attachment: Attachment, wanted: &Structure, live: &Structure) -> Structure {
    match attachment {
        Attachment::AsyncConfig => wanted.over(live),
        Attachment::FunctionUrl | Attachment::EventSources => wanted.changed(live),
        Attachment::CodeSigning
        | Attachment::RuntimeManagement
        | Attachment::RecursiveLoop
        | Attachment::LogRetention
        | Attachment::ReservedConcurrency
        | Attachment::ProvisionedConcurrency
        | Attachment::Permissions => wanted.clone(),
    }
}

/// Both ends of each change of a thing.
fn differences(attachment: Attachment, key: &str, wanted: &Structure, known: Option<&Attached>) -> Vec<Difference> {
    let (about, live) = (Aspect::Attachment(attachment), known.map(|known| &known.document));
    let differences = match live {
        // A statement is never changed in place, so all of it counts.
        Some(live) if attachment == Attachment::Permissions => wanted.differences_both_ways(about, live),
        live => wanted.differences(about, live),
    };
    differences.into_iter().map(|difference| difference.of_key(key)).collect()
}

/// A mapping that belongs to something else than it should.
fn moved(attachment: Attachment, key: &str, alias: Option<&AliasName>, known: &Attached) -> Option<Difference> {
    let wanted = alias.map(|alias| alias.0.as_str());
    let end = |alias: Option<&str>| Some(alias.unwrap_or(LATEST).into());
    (known.alias.as_deref() != wanted).then(|| {
        let about = Aspect::Attachment(attachment);
        Difference::whole(about, end(known.alias.as_deref()), end(wanted)).of_key(key).of_member("invokes")
    })
}

/// Our own statements: there for a public URL, gone for any other. A statement of others that says the same will do.
fn statements_for(
    public: bool,
    live: Option<&Live>,
    wish: &Keyed<Option<Structure>>,
) -> Vec<(String, Option<Structure>)> {
    let there = live.and_then(|live| live.attachments.get(&Attachment::Permissions));
    let others = || there.into_iter().flatten().filter(|(id, _)| !URL_STATEMENTS.contains(&id.as_str()));
    let statements = url_statements().into_iter().map(|(id, statement)| {
        let named = wish.entries.values().flatten().any(|other| other == &statement);
        let said = others().any(|(_, other)| statement.is_same_as(&other.document));
        let stays = said && wish.others != Some(Others::Replace);
        let wanted = public && !named && !stays;
        (id.to_owned(), wanted.then_some(statement))
    });
    statements.collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::plan::tests::{live, planned, wanted};
    use crate::remote::Remote;

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:jobs";

    /// A deployment to an alias or to none, that wants one thing.
    fn wish(alias: Option<&str>, kind: Attachment, key: &str, wish: Option<Value>) -> Deployment {
        wishes(alias, kind, None, &[(key, wish)])
    }

    fn wishes(
        alias: Option<&str>,
        kind: Attachment,
        others: Option<Others>,
        wishes: &[(&str, Option<Value>)],
    ) -> Deployment {
        let entries = wishes.iter().map(|(key, wish)| ((*key).to_owned(), wish.clone().map(Structure)));
        let keyed = Keyed { entries: entries.collect(), others };
        wanted(|deployment| {
            deployment.release.alias = alias.map(|alias| AliasName(alias.to_owned()));
            deployment.attachments.insert(kind, keyed);
        })
    }

    /// A live function around which these stand: kind, key, alias and document.
    fn around(things: &[(Attachment, &str, Option<&str>, Value)]) -> Remote {
        live(|live| {
            for (kind, key, alias, document) in things {
                let (alias, handle) = (alias.map(str::to_owned), Some(format!("handle of {key}")));
                let attached = Attached { document: Structure(document.clone()), handle, alias };
                live.attachments.entry(*kind).or_default().insert((*key).to_owned(), attached);
            }
        })
    }

    fn told(deployment: &Deployment, remote: &Remote) -> String {
        // What an alias itself needs is told elsewhere.
        let plan = planned(deployment, "old", remote);
        plan.lines().filter(|line| !line.starts_with("alias ")).flat_map(|line| [line, "\n"]).collect()
    }

    #[test]
    fn one_thing_is_made_changed_left_alone_and_removed() {
        let reserved = |wanted| wish(None, Attachment::ReservedConcurrency, "", wanted);
        let five = around(&[(Attachment::ReservedConcurrency, "", None, json!(5))]);
        assert_snapshot!(told(&reserved(Some(json!(5))), &around(&[])), @"Create reserved concurrency : reserved_concurrency: - → 5; sends 5");
        assert_snapshot!(told(&reserved(Some(json!(5))), &five), @"");
        assert_snapshot!(told(&reserved(Some(json!(0))), &five), @"Update reserved concurrency : reserved_concurrency: 5 → 0; sends 0");
        assert_snapshot!(told(&wanted(|_| ()), &five), @"");
        assert_snapshot!(told(&reserved(None), &five), @"Remove reserved concurrency : ; sends 5");
        assert_snapshot!(told(&reserved(None), &around(&[])), @"");
    }

    #[test]
    fn no_more_is_sent_than_was_named_unless_the_rest_would_be_lost() {
        let there = json!({ "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60, "DestinationConfig": {} });
        let remote = around(&[(Attachment::AsyncConfig, "", None, there)]);
        let change = wish(None, Attachment::AsyncConfig, "", Some(json!({ "MaximumRetryAttempts": 1 })));
        assert_snapshot!(told(&change, &remote), @r#"Update asynchronous invocation : async_config.maximum_retry_attempts: 2 → 1; sends {"MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":60,"DestinationConfig":{}}"#);
        let there = json!({ "EventSourceArn": QUEUE, "Enabled": false, "BatchSize": 10, "ScalingConfig": { "MaximumConcurrency": 2 } });
        let remote = around(&[(Attachment::EventSources, QUEUE, None, there)]);
        let source = json!({ "EventSourceArn": QUEUE, "BatchSize": 5, "ScalingConfig": { "MaximumConcurrency": 2 } });
        assert_snapshot!(told(&wish(None, Attachment::EventSources, QUEUE, Some(source)), &remote), @r#"Update event source arn:aws:sqs:eu-west-1:123456789012:jobs: event_sources.arn:aws:sqs:eu-west-1:123456789012:jobs batch_size: 10 → 5; sends {"BatchSize":5}"#);
    }

    #[test]
    fn a_public_url_needs_two_statements_and_any_other_none() {
        let url = |wanted| wish(None, Attachment::FunctionUrl, "", wanted);
        let [(_, invoke_url), (_, invoke)] = url_statements().map(|(id, statement)| (id, statement.0));
        let public = (Attachment::FunctionUrl, "", None, json!({ "AuthType": "NONE" }));
        let ours = [
            (Attachment::Permissions, URL_STATEMENTS[0], None, invoke_url.clone()),
            (Attachment::Permissions, URL_STATEMENTS[1], None, invoke.clone()),
        ];
        let all = around(&[std::slice::from_ref(&public), &ours[..]].concat());
        assert_snapshot!(told(&url(Some(json!({ "AuthType": "NONE" }))), &Remote::Absent).lines().filter(|line| line.starts_with("Create ")).collect::<Vec<_>>().join("
"), @r#"
        Create function URL : function_url.auth_type: - → NONE; sends {"AuthType":"NONE"}
        Create permission dpl-lambda-url: permissions.dpl-lambda-url action: - → lambda:InvokeFunctionUrl, permissions.dpl-lambda-url principal: - → *, permissions.dpl-lambda-url function_url_auth_type: - → NONE; sends {"Action":"lambda:InvokeFunctionUrl","Principal":"*","FunctionUrlAuthType":"NONE"}
        Create permission dpl-lambda-url-invoke: permissions.dpl-lambda-url-invoke action: - → lambda:InvokeFunction, permissions.dpl-lambda-url-invoke principal: - → *, permissions.dpl-lambda-url-invoke invoked_via_function_url: - → true; sends {"Action":"lambda:InvokeFunction","Principal":"*","InvokedViaFunctionUrl":true}
        "#);
        assert_snapshot!(told(&url(Some(json!({}))), &all), @"");
        // What is missing is made up for.
        assert!(
            told(&url(Some(json!({}))), &around(&[public.clone(), ours[1].clone()]))
                .starts_with("Create permission dpl-lambda-url:")
        );
        assert_snapshot!(told(&url(None), &all), @r#"
        Remove function URL : ; sends {"AuthType":"NONE"}
        Remove permission dpl-lambda-url: ; sends {"Action":"lambda:InvokeFunctionUrl","Principal":"*","FunctionUrlAuthType":"NONE"}
        Remove permission dpl-lambda-url-invoke: ; sends {"Action":"lambda:InvokeFunction","Principal":"*","InvokedViaFunctionUrl":true}
        note handle of  is lost for good: a function URL made later gets another address
        "#);
    }

    #[test]
    fn a_statement_of_ours_that_the_user_names_is_the_users() {
        let mut deployment = wish(None, Attachment::FunctionUrl, "", Some(json!({ "AuthType": "AWS_IAM" })));
        let own = json!({ "Action": "lambda:InvokeFunction", "Principal": "123456789012" });
        let entries = BTreeMap::from([(URL_STATEMENTS[0].to_owned(), Some(Structure(own.clone())))]);
        deployment.attachments.insert(Attachment::Permissions, Keyed { entries, others: None });
        let remote = around(&[
            (Attachment::FunctionUrl, "", None, json!({ "AuthType": "AWS_IAM" })),
            (Attachment::Permissions, URL_STATEMENTS[0], None, own),
        ]);
        assert_snapshot!(told(&deployment, &remote), @"");
    }

    #[test]
    fn statements_are_replaced_by_mode_but_never_those_of_the_url() {
        let statement = |principal: &str| json!({ "Action": "lambda:InvokeFunction", "Principal": principal });
        let [(id, of_url), _] = url_statements();
        let remote = around(&[
            (Attachment::Permissions, "a", None, statement("s3.amazonaws.com")),
            (Attachment::Permissions, "b", None, statement("sns.amazonaws.com")),
            (Attachment::Permissions, id, None, of_url.0),
        ]);
        let named = [("a", Some(statement("s3.amazonaws.com")))];
        let permissions = |others, named: &[_]| wishes(None, Attachment::Permissions, others, named);
        assert_snapshot!(told(&permissions(None, &named), &remote), @"note left alone: permissions that are not named: b");
        assert_snapshot!(told(&permissions(None, &[]), &remote), @"note left alone: permissions that are not named: a, b");
        assert_snapshot!(told(&permissions(Some(Others::Replace), &named), &remote), @r#"Remove permission b: ; sends {"Action":"lambda:InvokeFunction","Principal":"sns.amazonaws.com"}"#);
        let narrow = json!({ "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b" });
        let remote = around(&[(Attachment::Permissions, "a", None, narrow)]);
        assert_snapshot!(told(&permissions(None, &named), &remote), @r#"Update permission a: permissions.a source_arn: arn:aws:s3:::b → -; sends {"Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com"}"#);
    }

    #[test]
    fn a_mapping_is_moved_to_the_alias_and_what_it_never_changes_is_refused() {
        let source = json!({ "EventSourceArn": QUEUE });
        let named = || wish(Some("live"), Attachment::EventSources, QUEUE, Some(source.clone()));
        let of = |alias| around(&[(Attachment::EventSources, QUEUE, alias, source.clone())]);
        assert_snapshot!(told(&named(), &of(None)), @"Update event source arn:aws:sqs:eu-west-1:123456789012:jobs of live: event_sources.arn:aws:sqs:eu-west-1:123456789012:jobs invokes: $LATEST → live; sends {}");
        assert_snapshot!(told(&named(), &of(Some("live"))), @"");
        let other = wishes(Some("live"), Attachment::EventSources, Some(Others::Replace), &[]);
        assert_snapshot!(told(&other, &of(None)), @"note left alone: event sources that invoke $LATEST and not the alias: arn:aws:sqs:eu-west-1:123456789012:jobs");
        assert_snapshot!(told(&other, &of(Some("live"))), @r#"Remove event source arn:aws:sqs:eu-west-1:123456789012:jobs of live: ; sends {"EventSourceArn":"arn:aws:sqs:eu-west-1:123456789012:jobs"}"#);
        let topic = "arn:aws:kafka:eu-west-1:123456789012:cluster/c/1 orders";
        let of = |group: &str| json!({ "StartingPosition": "LATEST", "AmazonManagedKafkaEventSourceConfig": { "ConsumerGroupId": group } });
        let remote = around(&[(Attachment::EventSources, topic, None, of("a"))]);
        let change = wish(None, Attachment::EventSources, topic, Some(of("b")));
        assert_snapshot!(told(&change, &remote).lines().next().unwrap(), @"Error event_sources: `arn:aws:kafka:eu-west-1:123456789012:cluster/c/1 orders` has another `consumer_group_id`, which AWS never changes on a mapping");
    }

    #[test]
    fn a_new_mapping_needs_what_aws_wants_to_hear() {
        let stream = "arn:aws:kinesis:eu-west-1:123456789012:stream/s";
        for (key, members, obstacle) in [
            (stream, json!({}), Some("needs a `starting_position`")),
            (stream, json!({ "StartingPosition": "LATEST", "BatchSize": 100 }), None),
            ("b.example:9092 orders", json!({}), Some("needs a `starting_position`")),
            (QUEUE, json!({ "BatchSize": 10 }), None),
            (QUEUE, json!({ "BatchSize": 11 }), Some("has a `batch_size` over 10")),
            (QUEUE, json!({ "BatchSize": 11, "MaximumBatchingWindowInSeconds": 1 }), None),
        ] {
            let plan = told(&wish(None, Attachment::EventSources, key, Some(members.clone())), &around(&[]));
            assert_eq!(plan.starts_with("Error event_sources"), obstacle.is_some(), "{members}: {plan}");
            assert!(plan.contains(obstacle.unwrap_or_default()), "{members}: {plan}");
        }
    }
}
