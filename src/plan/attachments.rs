//! Attachments: what belongs to a function but has its own API, such as a URL or a permission. Each has a kind and a
//! key.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Plan;
use super::action::Action;
use super::step::{AttachmentChange, Step};
use crate::deployment::{Deployment, MapMode, WantedMap};
use crate::remote::{Live, LiveAttachment};
use crate::settings::{AliasName, Aspect, Attachment, Belongs, Count, Difference, Setting, Structure};
use crate::sources::Source;

/// Ids of the statements that make a URL public. Only these statements change without being named.
const URL_STATEMENTS: [&str; 2] = ["dpl-lambda-url", "dpl-lambda-url-invoke"];

/// The key of a URL of the function itself, when the deployment manages an alias.
const LATEST: &str = "$LATEST";

/// Members of an event source mapping that cannot change after creation.
const FIXED: [&str; 6] =
    ["EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Topics", "Queues", "SelfManagedEventSource"];

/// Members that hold a consumer group id, which cannot change after creation either.
const CONSUMERS: [&str; 2] = ["AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"];

/// The ARN of the code signing config for a new function; `None` if none is wanted.
pub(super) fn code_signing(deployment: &Deployment) -> Option<String> {
    let managed = deployment.attachments.get(&Attachment::CodeSigning)?;
    managed.entries.values().flatten().find_map(|wanted| wanted.0.as_str().map(str::to_owned))
}

/// The code signing config of a new function, as a difference.
pub(super) fn code_signing_difference(deployment: &Deployment) -> Option<Difference> {
    let to = Some(code_signing(deployment)?.into());
    Some(Difference::whole(Aspect::Attachment(Attachment::CodeSigning), None, to))
}

/// The two statements of a public URL.
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
    /// Adds or removes the code signing config of a live function. Comes before the code.
    pub(super) fn sign(&mut self, deployment: &Deployment, live: &Live) {
        if let Some(managed) = deployment.attachments.get(&Attachment::CodeSigning) {
            self.attach_kind(Attachment::CodeSigning, managed, deployment, Some(live));
        }
    }

    /// All other attachments.
    pub(super) fn attach(&mut self, deployment: &Deployment, live: Option<&Live>) {
        let mut attachments = deployment.attachments.clone();
        if let Some(url) = attachments.get(&Attachment::FunctionUrl) {
            let public = url_is_public(url, live);
            let nobody = WantedMap { entries: BTreeMap::new(), mode: Some(MapMode::Merge) };
            let mut managed = attachments.remove(&Attachment::Permissions).unwrap_or(nobody);
            for (id, statement) in statements_for(public, live, &managed) {
                managed.entries.entry(id).or_insert(statement);
            }
            attachments.insert(Attachment::Permissions, managed);
        }
        for attachment in Attachment::ALL.into_iter().filter(|attachment| *attachment != Attachment::CodeSigning) {
            let Some(managed) = attachments.get(&attachment) else { continue };
            self.attach_kind(attachment, managed, deployment, live);
        }
        if let Some(live) = live {
            self.note_left_alone(deployment, live);
        }
    }

    /// Notes what is left alone because it belongs to `$LATEST` and not to the alias, and which URL is deleted.
    fn note_left_alone(&mut self, deployment: &Deployment, live: &Live) {
        let alias = deployment.release.alias.as_ref().map(|alias| alias.0.as_str());
        let existing = |kind| live.attachments.get(&kind).into_iter().flatten();
        for (_, url) in existing(Attachment::FunctionUrl).filter(|(key, _)| key.as_str() == LATEST) {
            let address = url.handle.as_deref().unwrap_or_default();
            self.notes
                .push(format!("left alone: the function URL {address}, which belongs to $LATEST and not to the alias"));
        }
        let managed = deployment.attachments.get(&Attachment::EventSources);
        let named = |key: &String| managed.is_some_and(|managed| managed.entries.contains_key(key));
        let elsewhere =
            existing(Attachment::EventSources).filter(|(key, known)| known.alias.as_deref() != alias && !named(key));
        let elsewhere: Vec<_> = elsewhere.map(|(key, _)| key.as_str()).collect();
        if !elsewhere.is_empty() {
            let sources = elsewhere.join(", ");
            self.notes.push(format!("left alone: event sources that invoke $LATEST and not the alias: {sources}"));
        }
        let lost = self.removed(Attachment::FunctionUrl).and_then(|change| change.handle.clone());
        let lost =
            lost.map(|address| format!("deleting {address} is final: a new function URL gets a different address"));
        self.notes.extend(lost);
    }

    fn attach_kind(
        &mut self,
        attachment: Attachment,
        managed: &WantedMap<Option<Structure>>,
        deployment: &Deployment,
        live: Option<&Live>,
    ) {
        let alias = deployment.release.alias.as_ref().filter(|_| attachment.belongs() == Belongs::Alias);
        let nothing = BTreeMap::new();
        let existing = live.and_then(|live| live.attachments.get(&attachment)).unwrap_or(&nothing);
        let change = |key: &str, action, document, handle, differences| {
            let (key, alias) = (key.to_owned(), alias.cloned());
            Step::Attach(AttachmentChange { attachment, key, alias, action, document, handle, differences })
        };
        for (key, wanted) in &managed.entries {
            match (wanted, existing.get(key)) {
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
        let unnamed = existing.iter().filter(|(key, known)| {
            let ours = attachment == Attachment::Permissions && URL_STATEMENTS.contains(&key.as_str());
            let elsewhere = known.alias.as_deref() != alias.map(|alias| alias.0.as_str());
            !managed.entries.contains_key(*key) && !ours && !elsewhere
        });
        let unnamed: Vec<_> = unnamed.collect();
        if managed.mode == Some(MapMode::Replace) {
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

    /// The document of a new attachment, with the defaults that AWS requires.
    fn created(&mut self, attachment: Attachment, key: &str, wanted: &Structure) -> Structure {
        let mut document = wanted.clone();
        match attachment {
            Attachment::FunctionUrl => document.default_member("AuthType", "AWS_IAM"),
            Attachment::EventSources => self.can_begin(key, wanted),
            _ => {}
        }
        document
    }

    /// Checks the members that a new mapping needs.
    fn can_begin(&mut self, key: &str, wanted: &Structure) {
        let option = Attachment::EventSources.option();
        let source = Source::of_key(key);
        let begins = source.is_some_and(|source| source.has("StartingPosition"));
        if begins && wanted.get("StartingPosition").is_none() {
            let message = format!("`{key}` needs a `starting_position`, because the mapping is new");
            self.refuse_item(option, key, message, "set `starting_position` to LATEST, TRIM_HORIZON or AT_TIMESTAMP");
        }
        let at_once = wanted.number("MaximumBatchingWindowInSeconds").unwrap_or_default() == 0;
        if source == Some(Source::Sqs) && wanted.number("BatchSize").is_some_and(|size| size > 10) && at_once {
            let message = format!("`{key}` has a `batch_size` over 10, which needs a batching window");
            self.refuse_item(option, key, message, "set `maximum_batching_window_in_seconds` to at least 1");
        }
    }

    /// The members that can change after creation. The others must already match.
    fn changeable(
        &mut self,
        attachment: Attachment,
        key: &str,
        wanted: &Structure,
        known: &LiveAttachment,
    ) -> Structure {
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
                let message = format!("the mapping of `{key}` has a different `{name}`, which AWS never changes");
                let help = format!("keep the live `{name}`, or remove the mapping first");
                self.refuse_item(attachment.option(), key, message, help);
            }
        }
        Structure(Value::Object(members))
    }
}

/// Whether the wanted URL is open to everyone.
fn url_is_public(managed: &WantedMap<Option<Structure>>, live: Option<&Live>) -> bool {
    let wanted = managed.entries.values().flatten().next();
    let existing = live.and_then(|live| live.attachments.get(&Attachment::FunctionUrl)?.get(""));
    let auth = |document: &Structure| document.text("AuthType");
    let auth = wanted.and_then(auth).or_else(|| auth(&existing?.document));
    wanted.is_some() && auth.as_deref() == Some("NONE")
}

/// The document of an update: only the named members, unless the API resets members that are not sent.
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

/// The changes of an attachment, with old and new values.
fn differences(
    attachment: Attachment,
    key: &str,
    wanted: &Structure,
    known: Option<&LiveAttachment>,
) -> Vec<Difference> {
    let (about, live) = (Aspect::Attachment(attachment), known.map(|known| &known.document));
    let differences = match live {
        // A statement is replaced as a whole, so a member that is no longer wanted counts too.
        Some(live) if attachment == Attachment::Permissions => wanted.differences_both_ways(about, live),
        live => wanted.differences(about, live),
    };
    differences.into_iter().map(|difference| difference.of_key(key)).collect()
}

/// The move of a mapping to another alias, or to `$LATEST`; `None` if it stays.
fn moved(attachment: Attachment, key: &str, alias: Option<&AliasName>, known: &LiveAttachment) -> Option<Difference> {
    let wanted = alias.map(|alias| alias.0.as_str());
    let end = |alias: Option<&str>| Some(alias.unwrap_or(LATEST).into());
    (known.alias.as_deref() != wanted).then(|| {
        let about = Aspect::Attachment(attachment);
        Difference::whole(about, end(known.alias.as_deref()), end(wanted)).of_key(key).of_member("invokes")
    })
}

/// Our statements: `Some` for a public URL, `None` to remove them. An equal statement with another id is enough.
fn statements_for(
    public: bool,
    live: Option<&Live>,
    managed: &WantedMap<Option<Structure>>,
) -> Vec<(String, Option<Structure>)> {
    let existing = live.and_then(|live| live.attachments.get(&Attachment::Permissions));
    let others = || existing.into_iter().flatten().filter(|(id, _)| !URL_STATEMENTS.contains(&id.as_str()));
    let statements = url_statements().into_iter().map(|(id, statement)| {
        let named = managed.entries.values().flatten().any(|other| other == &statement);
        let exists = others().any(|(_, other)| statement.is_same_as(&other.document));
        let stays = exists && managed.mode != Some(MapMode::Replace);
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

    /// A deployment with one attachment, to an alias or to none.
    fn managing(alias: Option<&str>, kind: Attachment, key: &str, document: Option<Value>) -> Deployment {
        managing_all(alias, kind, None, &[(key, document)])
    }

    fn managing_all(
        alias: Option<&str>,
        kind: Attachment,
        mode: Option<MapMode>,
        documents: &[(&str, Option<Value>)],
    ) -> Deployment {
        let entries = documents.iter().map(|(key, document)| ((*key).to_owned(), document.clone().map(Structure)));
        let keyed = WantedMap { entries: entries.collect(), mode };
        wanted(|deployment| {
            deployment.release.alias = alias.map(|alias| AliasName(alias.to_owned()));
            deployment.attachments.insert(kind, keyed);
        })
    }

    /// A live function with these attachments: kind, key, alias and document.
    fn live_with(things: &[(Attachment, &str, Option<&str>, Value)]) -> Remote {
        live(|live| {
            for (kind, key, alias, document) in things {
                let (alias, handle) = (alias.map(str::to_owned), Some(format!("handle of {key}")));
                let attached = LiveAttachment { document: Structure(document.clone()), handle, alias };
                live.attachments.entry(*kind).or_default().insert((*key).to_owned(), attached);
            }
        })
    }

    fn summary(deployment: &Deployment, remote: &Remote) -> String {
        // Other tests cover the alias itself.
        let plan = planned(deployment, "old", remote);
        plan.lines().filter(|line| !line.starts_with("alias ")).flat_map(|line| [line, "\n"]).collect()
    }

    #[test]
    fn an_attachment_is_created_changed_kept_and_removed() {
        let reserved = |wanted| managing(None, Attachment::ReservedConcurrency, "", wanted);
        let five = live_with(&[(Attachment::ReservedConcurrency, "", None, json!(5))]);
        assert_snapshot!(summary(&reserved(Some(json!(5))), &live_with(&[])), @"Create reserved concurrency : reserved_concurrency: - → 5; sends 5");
        assert_snapshot!(summary(&reserved(Some(json!(5))), &five), @"");
        assert_snapshot!(summary(&reserved(Some(json!(0))), &five), @"Update reserved concurrency : reserved_concurrency: 5 → 0; sends 0");
        assert_snapshot!(summary(&wanted(|_| ()), &five), @"");
        assert_snapshot!(summary(&reserved(None), &five), @"Remove reserved concurrency : ; sends 5");
        assert_snapshot!(summary(&reserved(None), &live_with(&[])), @"");
    }

    #[test]
    fn only_named_members_are_sent_unless_aws_would_reset_the_rest() {
        let there = json!({ "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60, "DestinationConfig": {} });
        let remote = live_with(&[(Attachment::AsyncConfig, "", None, there)]);
        let change = managing(None, Attachment::AsyncConfig, "", Some(json!({ "MaximumRetryAttempts": 1 })));
        assert_snapshot!(summary(&change, &remote), @r#"Update asynchronous invocation : async_config.maximum_retry_attempts: 2 → 1; sends {"MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":60,"DestinationConfig":{}}"#);
        let there = json!({ "EventSourceArn": QUEUE, "Enabled": false, "BatchSize": 10, "ScalingConfig": { "MaximumConcurrency": 2 } });
        let remote = live_with(&[(Attachment::EventSources, QUEUE, None, there)]);
        let source = json!({ "EventSourceArn": QUEUE, "BatchSize": 5, "ScalingConfig": { "MaximumConcurrency": 2 } });
        assert_snapshot!(summary(&managing(None, Attachment::EventSources, QUEUE, Some(source)), &remote), @r#"Update event source arn:aws:sqs:eu-west-1:123456789012:jobs: event_sources.arn:aws:sqs:eu-west-1:123456789012:jobs batch_size: 10 → 5; sends {"BatchSize":5}"#);
    }

    #[test]
    fn only_a_public_url_needs_statements() {
        let url = |wanted| managing(None, Attachment::FunctionUrl, "", wanted);
        let [(_, invoke_url), (_, invoke)] = url_statements().map(|(id, statement)| (id, statement.0));
        let public = (Attachment::FunctionUrl, "", None, json!({ "AuthType": "NONE" }));
        let ours = [
            (Attachment::Permissions, URL_STATEMENTS[0], None, invoke_url.clone()),
            (Attachment::Permissions, URL_STATEMENTS[1], None, invoke.clone()),
        ];
        let all = live_with(&[std::slice::from_ref(&public), &ours[..]].concat());
        assert_snapshot!(summary(&url(Some(json!({ "AuthType": "NONE" }))), &Remote::Absent).lines().filter(|line| line.starts_with("Create ")).collect::<Vec<_>>().join("
"), @r#"
        Create function URL : function_url.auth_type: - → NONE; sends {"AuthType":"NONE"}
        Create permission dpl-lambda-url: permissions.dpl-lambda-url action: - → lambda:InvokeFunctionUrl, permissions.dpl-lambda-url principal: - → *, permissions.dpl-lambda-url function_url_auth_type: - → NONE; sends {"Action":"lambda:InvokeFunctionUrl","Principal":"*","FunctionUrlAuthType":"NONE"}
        Create permission dpl-lambda-url-invoke: permissions.dpl-lambda-url-invoke action: - → lambda:InvokeFunction, permissions.dpl-lambda-url-invoke principal: - → *, permissions.dpl-lambda-url-invoke invoked_via_function_url: - → true; sends {"Action":"lambda:InvokeFunction","Principal":"*","InvokedViaFunctionUrl":true}
        "#);
        assert_snapshot!(summary(&url(Some(json!({}))), &all), @"");
        // A missing statement is added.
        assert!(
            summary(&url(Some(json!({}))), &live_with(&[public.clone(), ours[1].clone()]))
                .starts_with("Create permission dpl-lambda-url:")
        );
        assert_snapshot!(summary(&url(None), &all), @r#"
        Remove function URL : ; sends {"AuthType":"NONE"}
        Remove permission dpl-lambda-url: ; sends {"Action":"lambda:InvokeFunctionUrl","Principal":"*","FunctionUrlAuthType":"NONE"}
        Remove permission dpl-lambda-url-invoke: ; sends {"Action":"lambda:InvokeFunction","Principal":"*","InvokedViaFunctionUrl":true}
        note deleting handle of  is final: a new function URL gets a different address
        "#);
    }

    #[test]
    fn a_named_statement_with_our_id_belongs_to_the_user() {
        let mut deployment = managing(None, Attachment::FunctionUrl, "", Some(json!({ "AuthType": "AWS_IAM" })));
        let own = json!({ "Action": "lambda:InvokeFunction", "Principal": "123456789012" });
        let entries = BTreeMap::from([(URL_STATEMENTS[0].to_owned(), Some(Structure(own.clone())))]);
        deployment.attachments.insert(Attachment::Permissions, WantedMap { entries, mode: None });
        let remote = live_with(&[
            (Attachment::FunctionUrl, "", None, json!({ "AuthType": "AWS_IAM" })),
            (Attachment::Permissions, URL_STATEMENTS[0], None, own),
        ]);
        assert_snapshot!(summary(&deployment, &remote), @"");
    }

    #[test]
    fn replace_mode_keeps_the_statements_of_the_url() {
        let statement = |principal: &str| json!({ "Action": "lambda:InvokeFunction", "Principal": principal });
        let [(id, of_url), _] = url_statements();
        let remote = live_with(&[
            (Attachment::Permissions, "a", None, statement("s3.amazonaws.com")),
            (Attachment::Permissions, "b", None, statement("sns.amazonaws.com")),
            (Attachment::Permissions, id, None, of_url.0),
        ]);
        let named = [("a", Some(statement("s3.amazonaws.com")))];
        let permissions = |others, named: &[_]| managing_all(None, Attachment::Permissions, others, named);
        assert_snapshot!(summary(&permissions(None, &named), &remote), @"note left alone: permissions that are not named: b");
        assert_snapshot!(summary(&permissions(None, &[]), &remote), @"note left alone: permissions that are not named: a, b");
        assert_snapshot!(summary(&permissions(Some(MapMode::Replace), &named), &remote), @r#"Remove permission b: ; sends {"Action":"lambda:InvokeFunction","Principal":"sns.amazonaws.com"}"#);
        let narrow = json!({ "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b" });
        let remote = live_with(&[(Attachment::Permissions, "a", None, narrow)]);
        assert_snapshot!(summary(&permissions(None, &named), &remote), @r#"Update permission a: permissions.a source_arn: arn:aws:s3:::b → -; sends {"Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com"}"#);
    }

    #[test]
    fn a_mapping_moves_to_the_alias_but_fixed_members_cannot_change() {
        let source = json!({ "EventSourceArn": QUEUE });
        let named = || managing(Some("live"), Attachment::EventSources, QUEUE, Some(source.clone()));
        let of = |alias| live_with(&[(Attachment::EventSources, QUEUE, alias, source.clone())]);
        assert_snapshot!(summary(&named(), &of(None)), @"Update event source arn:aws:sqs:eu-west-1:123456789012:jobs of live: event_sources.arn:aws:sqs:eu-west-1:123456789012:jobs invokes: $LATEST → live; sends {}");
        assert_snapshot!(summary(&named(), &of(Some("live"))), @"");
        let other = managing_all(Some("live"), Attachment::EventSources, Some(MapMode::Replace), &[]);
        assert_snapshot!(summary(&other, &of(None)), @"note left alone: event sources that invoke $LATEST and not the alias: arn:aws:sqs:eu-west-1:123456789012:jobs");
        assert_snapshot!(summary(&other, &of(Some("live"))), @r#"Remove event source arn:aws:sqs:eu-west-1:123456789012:jobs of live: ; sends {"EventSourceArn":"arn:aws:sqs:eu-west-1:123456789012:jobs"}"#);
        let topic = "arn:aws:kafka:eu-west-1:123456789012:cluster/c/1 orders";
        let of = |group: &str| json!({ "StartingPosition": "LATEST", "AmazonManagedKafkaEventSourceConfig": { "ConsumerGroupId": group } });
        let remote = live_with(&[(Attachment::EventSources, topic, None, of("a"))]);
        let change = managing(None, Attachment::EventSources, topic, Some(of("b")));
        assert_snapshot!(summary(&change, &remote).lines().next().unwrap(), @"Error event_sources: the mapping of `arn:aws:kafka:eu-west-1:123456789012:cluster/c/1 orders` has a different `consumer_group_id`, which AWS never changes");
    }

    #[test]
    fn a_new_mapping_needs_the_members_that_aws_requires() {
        let stream = "arn:aws:kinesis:eu-west-1:123456789012:stream/s";
        for (key, members, obstacle) in [
            (stream, json!({}), Some("needs a `starting_position`")),
            (stream, json!({ "StartingPosition": "LATEST", "BatchSize": 100 }), None),
            ("b.example:9092 orders", json!({}), Some("needs a `starting_position`")),
            (QUEUE, json!({ "BatchSize": 10 }), None),
            (QUEUE, json!({ "BatchSize": 11 }), Some("has a `batch_size` over 10")),
            (QUEUE, json!({ "BatchSize": 11, "MaximumBatchingWindowInSeconds": 1 }), None),
        ] {
            let plan = summary(&managing(None, Attachment::EventSources, key, Some(members.clone())), &live_with(&[]));
            assert_eq!(plan.starts_with("Error event_sources"), obstacle.is_some(), "{members}: {plan}");
            assert!(plan.contains(obstacle.unwrap_or_default()), "{members}: {plan}");
        }
    }
}
