//! The only module that knows the SDK. No type of the SDK crosses its border.
//!
//! Log-in: `connect` finds Region and credentials, `assume` takes on roles, `account` asks STS, `hide` hands out what
//! nobody may see. Calls: `budget` says when one may begin, `wire` limits each attempt, `settle` waits, `fault` turns failed calls into our kinds of failure;
//! `call`, `refusals`, `denial`, `clock` and `quotes` supply its words.
//!
//! Reading: `read` takes the snapshot, `look` reads what people want to see, `package` lists the files of the live package,
//! `images` finds the digest of a tag, `outputs` values that other functions use, `origin` reads the code of another function. Writing: `write` does the steps and
//! `expected` says what a function must have after
//! them; `publish` and `tags` are its larger steps; `storage` says what fills the storage for code; `store`, `roles`,
//! `layers`, `alias` and `attachments` write what is not the function itself. `shift` moves traffic in steps; meanwhile
//! `alarms` reads alarms and errors, through the calls of `signed`. `ours` looks whether
//! another program changed what this run deployed. `invoke`, `logs`, `doctor`, `delete` and `rollback` are verbs. `convert` has both
//! directions between our types and the SDK's.
//!
//! Must not know printing, dialects or configuration layers.

mod account;
mod alarms;
mod alias;
mod assume;
mod attachments;
mod budget;
mod call;
mod clock;
mod connect;
mod convert;
mod delete;
mod denial;
mod doctor;
mod expected;
mod fault;
mod hide;
#[cfg(test)]
mod hostile;
mod images;
mod invoke;
mod layers;
mod logs;
mod look;
mod origin;
mod ours;
mod outputs;
mod package;
mod publish;
mod quotes;
mod read;
mod refusals;
mod roles;
mod rollback;
mod settle;
mod shift;
mod signed;
mod storage;
mod store;
mod tags;
mod values;
mod wire;
mod write;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::Client;
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use connect::{Connection, connect};
pub(crate) use delete::held_by;
pub(crate) use hide::Hidden;
pub(crate) use images::resolve;
pub(crate) use invoke::InvocationMode;
pub(crate) use logs::LogGroup;
pub(crate) use origin::Origin;
pub(crate) use settle::patiently;
pub(crate) use store::fetch;
pub(crate) use values::read as read_values;

use crate::event::Event;
use crate::fault::{Fault, FaultKind, Progress, Signal};
use crate::package::{Archive, Artifact};
use crate::remote::{Caller, Live, LiveAttachments};
use crate::settings::{LayerRef, Settings};
use alias::Routed;
use fault::Failed;
use hide::Hide;
use ours::Pointed;
use package::Reported;
use settle::Deadline;

/// The AWS side of one function's or layer's deployment: reads it, waits for it, writes it, all before one deadline.
pub(crate) struct Session<'a> {
    lambda: Client,
    s3: aws_sdk_s3::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    iam: aws_sdk_iam::Client,
    caller: Caller,
    hide: Hide,
    /// The function as the user wrote it, name or ARN; or the name of a layer.
    function: String,
    /// The package; absent where none is sent.
    artifact: Option<Arc<Artifact>>,
    deadline: Cell<Deadline>,
    /// When the steps began.
    begun: Instant,
    interrupt: watch::Receiver<Option<Signal>>,
    report: Box<dyn Fn(Event) + 'a>,
    /// The version that the package has in its bucket, once it was put there.
    uploaded: Option<String>,
    /// The number of the version that was published.
    published: Option<String>,
    /// ARNs of the layer versions that this run published, by the layer's name.
    layers: BTreeMap<String, String>,
    /// The function when it last was settled; the base of the next write.
    live: Option<Box<Live>>,
    /// Whether the endpoint of AWS is this machine.
    emulated: bool,
    /// The live package, as AWS last reported it; absent once it was read.
    package_at: Cell<Option<Reported>>,
    /// Whether `live` was read after the last write.
    is_fresh: bool,
    /// The connection, for services without a client.
    connection: Connection,
    /// The managed alias, once this run has begun to move it; absent before.
    routed: Option<Routed>,
    /// The managed alias as this run read or moved it last; absent if it does not exist or none is managed.
    pointed: Option<Pointed>,
    /// The attachments when the plan was made; empty for a new function.
    planned: LiveAttachments,
    /// The attachments that this run has changed so far, as messages name them.
    attached: Vec<String>,
    /// How far the step in hand has come.
    progress: Cell<Progress>,
    /// If an answer to the last write was lost: how far the step had come before that write.
    lost: Cell<Option<Progress>>,
    /// What AWS last said about the state that is waited for; absent if nothing is waited for.
    last_words: RefCell<Option<String>>,
    /// The managed alias, if AWS was moving it when the function was read.
    moving: Option<String>,
    /// The things that this run made. AWS needs some time to know them everywhere.
    made: Made,
}

/// The things that a run made.
#[derive(Debug, Default)]
struct Made {
    /// The execution role, or permissions of it.
    role: bool,
    /// The function.
    function: bool,
    /// The alias.
    alias: bool,
}

impl<'a> Session<'a> {
    /// Begins; the time of `wait_timeout` runs from here.
    ///
    /// Calls `report` with the progress of long steps. Without `artifact`, steps that send a package fail.
    pub(crate) fn new(
        connection: &Connection,
        function: &str,
        artifact: Option<Arc<Artifact>>,
        wait_timeout: Duration,
        interrupt: watch::Receiver<Option<Signal>>,
        report: impl Fn(Event) + 'a,
    ) -> Self {
        Self {
            lambda: connection.lambda.clone(),
            s3: connection.s3.clone(),
            logs: connection.logs.clone(),
            iam: connection.iam.clone(),
            caller: connection.caller(),
            hide: Arc::clone(&connection.hide),
            function: function.to_owned(),
            artifact,
            deadline: Cell::new(Deadline::after(wait_timeout)),
            begun: Instant::now(),
            interrupt,
            report: Box::new(report),
            uploaded: None,
            published: None,
            layers: BTreeMap::new(),
            live: None,
            emulated: connection.is_here(),
            package_at: Cell::default(),
            is_fresh: false,
            connection: connection.clone(),
            routed: None,
            pointed: None,
            planned: LiveAttachments::new(),
            attached: Vec::new(),
            progress: Cell::default(),
            lost: Cell::default(),
            last_words: RefCell::default(),
            moving: None,
            made: Made::default(),
        }
    }

    /// Gives the steps the whole of `wait_timeout`, however long ago the plan was made.
    pub(crate) fn restart_deadline(&mut self) {
        self.begun = Instant::now();
        self.extend_deadline();
    }

    /// Restarts the deadline: a step has made progress, or has waited for something else than AWS.
    pub(crate) fn extend_deadline(&self) {
        self.deadline.set(self.deadline.get().restarted());
    }

    /// Says which versions this run has published of the layers that the plan waits for, by the layer's name.
    pub(crate) fn know_layers(&mut self, published: BTreeMap<String, String>) {
        self.layers = published;
    }

    /// The settings to send: each layer that the plan waited for is the version that was published.
    fn with_layers(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        for layer in settings.layers.iter_mut().flat_map(|layers| &mut layers.0) {
            if let LayerRef::Coming(name) = layer
                && let Some(version) = self.layers.get(name)
            {
                *layer = LayerRef::Version(version.clone());
            }
        }
        settings
    }

    /// The ARN of the function; empty until it was read or created.
    pub(crate) fn arn(&self) -> &str {
        self.live.as_ref().map_or("", |live| &live.arn)
    }

    /// The time since the steps began.
    pub(crate) fn so_far(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The address of the image that the function was last seen to have; nothing where it has a package.
    pub(crate) fn image(&self) -> Option<&str> {
        self.live.as_ref()?.image.as_deref()
    }

    /// The version that the package has in its bucket, once it was put there.
    pub(crate) fn uploaded(&self) -> Option<&str> {
        self.uploaded.as_deref()
    }

    /// Says that this run has put the package into its bucket, and which version it has there.
    pub(crate) fn know_upload(&mut self, version: Option<String>) {
        self.uploaded = version;
        self.restart_deadline();
    }

    /// Takes the package to send.
    pub(crate) fn carry(&mut self, artifact: Arc<Artifact>) {
        self.artifact = Some(artifact);
    }

    /// The bytes of the package; 0 where none is sent.
    pub(crate) fn package_size(&self) -> u64 {
        self.artifact.as_ref().map_or(0, |artifact| artifact.archive.size())
    }

    /// The archive to send.
    fn archive(&self) -> Result<&Archive, Failed> {
        let nothing = || Fault::new(FaultKind::Failed, "there is no package to send");
        Ok(&self.artifact.as_ref().ok_or_else(nothing)?.archive)
    }
}
