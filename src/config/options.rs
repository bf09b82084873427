//! The table of options, one row each.
//!
//! Flags, variables, YAML keys, the suggestion for a wrong key, the help and the table in docs/options.md come from it.

use crate::place::Problem;
use crate::settings::{Attachment, EphemeralStorage, MemorySize, Shape, Timeout, shapes};
pub use crate::verb::Group;

/// An option of the tool.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// The canonical name, with underscores.
    pub name: &'static str,
    /// Other names of the option, on every surface.
    pub aliases: &'static [&'static str],
    /// The member that holds the value when it is written as the API's map; absent: the API has no such map.
    pub member: Option<&'static str>,
    /// The kind of its value.
    pub kind: Kind,
    /// The group in the help and the manual.
    pub group: Group,
    /// The text in the help and the manual.
    pub meaning: &'static str,
    /// Whether `LAMBDA_<OPTION>` and `AWS_<OPTION>` set it.
    pub ambient: Ambient,
    /// An example value for the manual; empty for flags.
    pub example: &'static str,
    /// Whether `clear` can empty it.
    pub clear: Clear,
    /// What a file of the checkout may set it to. Anybody who opens a pull request can write such a file.
    pub in_file: InFile,
}

/// What a file of the checkout may set an option to. Flags and variables may set anything, and so may a trusted file,
/// except for [`Never`](Self::Never).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFile {
    /// Anything: it decides only about what is deployed.
    Anything,
    /// An address of this machine: credentials are sent there.
    ThisMachine,
    /// Nothing: it decides which identity acts, or which secret is read.
    Nothing,
    /// Files of the checkout to read.
    Reads,
    /// Files of the checkout, or an archive in any folder, which is sent as a package.
    Packs,
    /// A file of the checkout that results are written to, with one of these endings. No program runs files with such
    /// names.
    Writes(&'static [&'static str]),
    /// Nothing, not even in a trusted file: it is about the file itself.
    Never,
}

/// Whether `clear` can empty the setting of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clear {
    /// `clear` can empty it.
    Yes,
    /// The setting always has a value, or is emptied in another way.
    No,
}

/// The kind of an option's value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text or a number.
    Text,
    /// A whole number within these limits.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Flag,
    /// Yes or no, or one of these words.
    FlagOr(&'static [&'static str]),
    /// Texts. In a variable: one a line, or a JSON array.
    List,
    /// Globs, and maps that name other sources of files. Else like a list.
    Files,
    /// Identifiers and ARNs. Like a list, but commas separate them too.
    Ids,
    /// Texts by key: a map, a list or lines of `KEY=VALUE`, or a JSON object.
    Map,
    /// A map or list in the API's shape, or a text that is short for one.
    Structure(&'static Shape),
    /// A text that is never shown.
    Secret,
}

/// Whether the variables that dpl reads set an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambient {
    /// `LAMBDA_<OPTION>`, then `AWS_<OPTION>`.
    Read,
    /// No: such a variable is likely to mean something else.
    Ignored,
}

const fn opt(group: Group, name: &'static str, kind: Kind, example: &'static str, meaning: &'static str) -> Opt {
    Opt {
        name,
        aliases: &[],
        member: None,
        kind,
        group,
        meaning,
        ambient: Ambient::Ignored,
        example,
        clear: Clear::No,
        in_file: InFile::Anything,
    }
}

impl Opt {
    const fn ambient(mut self) -> Self {
        self.ambient = Ambient::Read;
        self
    }

    const fn clearable(mut self) -> Self {
        self.clear = Clear::Yes;
        self
    }

    /// The option with a restriction on files.
    const fn in_file(mut self, may: InFile) -> Self {
        self.in_file = may;
        self
    }

    /// The option whose value can also be written as the API's map with this member.
    const fn in_map(mut self, member: &'static str) -> Self {
        self.member = Some(member);
        self
    }

    const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// An option for a resource that belongs to the function.
const fn around(attachment: Attachment, example: &'static str, meaning: &'static str) -> Opt {
    opt(Group::Around, attachment.option(), Structure(attachment.shape()), example, meaning)
}

use crate::settings::Attachment::{
    AsyncConfig, CodeSigning, EventSources, FunctionUrl, LogRetention, Permissions, ProvisionedConcurrency,
    RecursiveLoop, ReservedConcurrency, RuntimeManagement,
};
use Group::{Code, Function, Release, Run, Target};
use Kind::{Choice, Files, Flag, FlagOr, Ids, List, Map, Number, Secret, Structure, Text};

/// Every option.
pub const OPTIONS: &[Opt] = &[
    opt(Target, "access_key_id", Secret, "AKIA…", "Access key id. Default: the AWS SDK finds credentials in variables, web identity, profile, container or instance.").ambient(),
    opt(Target, "secret_access_key", Secret, "…", "Secret access key. Must come from the same place as `access_key_id`.").ambient(),
    opt(Target, "session_token", Secret, "…", "Session token of temporary credentials.").ambient(),
    opt(Target, "region", Text, "eu-west-1", "Region of the function. Default: the Region that the AWS SDK finds; if it finds none, the run stops.").ambient(),
    opt(Target, "profile", Text, "deploy", "Profile in the shared AWS configuration files.").ambient().in_file(InFile::Nothing),
    opt(Target, "role_to_assume", Text, "arn:aws:iam::123456789012:role/ci", "Role to assume for the deployment: an ARN, or the name of a role in the same account. The keys or profile that you give assume it; without them the OIDC token of GitHub, GitLab, Bitbucket or CircleCI; else the credentials that the SDK finds."),
    opt(Target, "role_session_name", Text, "deploy-thumbnails", "Session name of the role in AWS' logs. Default: `dpl-lambda` and the build number."),
    opt(Target, "role_duration", Number { least: 900, most: 43_200 }, "1800", "Seconds for which the role's credentials are valid: 900 to 43200, up to the limit of the role. Default 3600. They are renewed before they expire."),
    opt(Target, "external_id", Text, "a-partners-id", "External id that the role's trust policy requires. Not sent with an OIDC token."),
    opt(Target, "web_identity_token_env", Text, "DEPLOY_TOKEN", "Variable that holds the OIDC token. Default: GitHub's token, else the first variable that is set of `AWS_ID_TOKEN`, `GITLAB_OIDC_TOKEN`, `BITBUCKET_STEP_OIDC_TOKEN`, `CIRCLE_OIDC_TOKEN_V2`, `CIRCLE_OIDC_TOKEN`.").in_file(InFile::Nothing),
    opt(Target, "expect_account", Text, "123456789012", "The only account that may be changed. In another account the run stops before its first write."),
    opt(Target, "endpoint_url", Text, "http://localhost:4566", "Endpoint to call instead of AWS, for example of a local emulator.").ambient().in_file(InFile::ThisMachine),
    opt(Function, "function_name", Text, "thumbnails", "Name or ARN of the function. Required, except for `package`, for `list`, and for a layer without a function.").ambient(),
    opt(Function, "role", Text, "arn:aws:iam::123456789012:role/thumbnails", "Execution role: an ARN, or the name of a role in the same account. Needed to create the function.").ambient(),
    opt(Function, "create_role", Flag, "true", "Create an execution role for a new function that has no `role`. Its name is `dpl-lambda-` and the function's name. It may write the log, and use a VPC if the block names one."),
    opt(Function, "runtime", Text, "python3.13", "Runtime identifier. Needed to create the function; if the package has a `bootstrap`, the default is `provided.al2023`.").ambient(),
    opt(Function, "handler", Text, "index.handler", "Full handler. Overrides `module_name` and `handler_name`."),
    opt(Function, "handler_name", Text, "handler", "Function or method of the handler. Joined with `module_name` in the form that the runtime expects.").ambient(),
    opt(Function, "module_name", Text, "index", "File, package or class of `handler_name`. Default `index`.").ambient(),
    opt(Function, "architecture", Choice(&["x86_64", "arm64"]), "arm64", "Instruction set of the code. Default: read from the package's binaries, else the live function's.").also(&["architectures"]),
    opt(Function, "description", Text, "Build %{build_number}", "Description of the function. `%{…}` is replaced.").ambient().also(&["function_description"]).clearable(),
    opt(Function, "timeout", Number { least: Timeout::LEAST, most: Timeout::MOST }, "10", "Seconds that one invocation may take: 1 to 900.").ambient(),
    opt(Function, "memory_size", Number { least: MemorySize::LEAST, most: MemorySize::MOST }, "256", "Memory in MB: 128 to 10240.").ambient(),
    opt(Function, "ephemeral_storage", Number { least: EphemeralStorage::LEAST, most: EphemeralStorage::MOST }, "1024", "Size of `/tmp` in MB: 512 to 10240.").in_map("Size"),
    opt(Function, "environment", Map, "STAGE: prod", "Variables to set. `{from_env: NAME}` reads a value from the CI's environment. A null value removes the key.").in_map("Variables").ambient().also(&["environment_variables"]).clearable(),
    opt(Function, "env_file", List, "prod.env", "Files of `KEY=VALUE` lines. `environment` overrides them.").in_file(InFile::Reads),
    opt(Function, "environment_mode", Choice(&["replace", "merge"]), "merge", "What happens to variables that exist only on the live function: `replace` removes them, `merge` keeps them. By default the run stops if a variable would be removed."),
    opt(Function, "layers", Ids, "arn:aws:lambda:eu-west-1:123456789012:layer:deps:3", "Layers in the order in which Lambda merges them, at most five. An ARN with a version; or an ARN without one, or a name in the same account, for the newest version.").ambient().clearable(),
    opt(Function, "subnet_ids", Ids, "subnet-0a1b2c3d", "Subnets of the VPC. An empty list detaches the function from the VPC.").ambient().clearable(),
    opt(Function, "security_group_ids", Ids, "sg-0a1b2c3d", "Security groups in the VPC. An empty list detaches the function from the VPC.").ambient().clearable(),
    opt(Function, "ipv6_allowed_for_dual_stack", Flag, "true", "Allow IPv6 in dual-stack subnets."),
    opt(Function, "vpc_config", Structure(&shapes::VPC_CONFIG), "{subnet_ids: [subnet-0a1b2c3d], security_group_ids: [sg-0a1b2c3d]}", "The three options above in one map, as in the API."),
    opt(Function, "dead_letter_arn", Text, "arn:aws:sqs:eu-west-1:123456789012:failed", "Queue or topic for failed asynchronous events.").ambient().also(&["dead_letter_config"]).in_map("TargetArn").clearable(),
    opt(Function, "kms_key_arn", Text, "arn:aws:kms:eu-west-1:123456789012:key/…", "Key that encrypts the environment.").ambient().clearable(),
    opt(Function, "tracing_mode", Choice(&["Active", "PassThrough"]), "Active", "X-Ray sampling.").ambient().also(&["tracing_config"]).in_map("Mode"),
    opt(Function, "logging_config", Structure(&shapes::LOGGING_CONFIG), "{log_format: JSON, application_log_level: WARN, log_group: /team/media}", "Format, levels and log group of the log."),
    opt(Function, "snap_start", Structure(&shapes::SNAP_START), "PublishedVersions", "Whether published versions start from a snapshot: `PublishedVersions` or `None`."),
    opt(Function, "file_system_configs", Structure(&shapes::FILE_SYSTEM_CONFIGS), "{arn: arn:aws:elasticfilesystem:…:access-point/fsap-…, local_mount_path: /mnt/data}", "EFS access point and its mount path. Needs a VPC.").clearable(),
    opt(Function, "image_config", Structure(&shapes::IMAGE_CONFIG), "{command: [app.handler]}", "Overrides for the image's `entry_point`, `command` and `working_directory`.").clearable(),
    opt(Function, "durable_config", Structure(&shapes::DURABLE_CONFIG), "{execution_timeout: 3600, retention_period_in_days: 7}", "Limits of durable executions."),
    opt(Function, "capacity_provider_config", Structure(&shapes::CAPACITY_PROVIDER_CONFIG), "{lambda_managed_instances_capacity_provider_config: arn:aws:lambda:…:capacity-provider:NAME}", "The capacity provider of a function on Managed Instances, and limits of its environments."),
    opt(Function, "tenancy_config", Structure(&shapes::TENANCY_CONFIG), "PER_TENANT", "Whether each tenant has its own execution environments. Can be set only when the function is created."),
    opt(Function, "function_tags", Map, "team: media", "Tags to add or overwrite.").ambient().also(&["tags"]),
    opt(Function, "function_tags_mode", Choice(&["replace", "merge"]), "replace", "`replace` also removes tags that the block does not name. Default `merge`."),
    opt(Function, "clear", List, "description", "Names of options whose settings to empty. docs/options.md lists the options that can be emptied."),
    opt(Code, "zip", Text, "dist", "Directory, single file, or ready `.zip` or `.jar`. Default: the output of `cargo lambda build`, else the folder of the file, or the working directory.").ambient().also(&["source", "code_artifacts_dir"]).in_file(InFile::Packs),
    opt(Code, "image_uri", Text, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v3", "Container image in ECR, by tag or digest, instead of a package. A tag is resolved, and the function gets the digest."),
    opt(Code, "code_from", Structure(&shapes::CODE_FROM), "orders-staging:live", "Function whose code to deploy, byte for byte, instead of a package of your own: a name or ARN, also with a version or alias. Or a map: `{function, region, role_to_assume, external_id}`, for a function in another Region or account."),
    opt(Code, "package_type", Choice(&["Zip", "Image"]), "Image", "Only a check: `Image` requires `image_uri`, and `Zip` forbids it."),
    opt(Code, "include", Files, "src/**/*.py", "Globs of files to include, relative to the package root. A directory includes everything in it. Default: everything. `{from, glob, to}` adds files from another folder.").in_file(InFile::Packs),
    opt(Code, "exclude", List, "*.test.js", "Lines in gitignore syntax of files to leave out, in addition to a `.lambdaignore` at the package root."),
    opt(Code, "dot_match", Flag, "true", "Include hidden files and folders at the package root.").ambient(),
    opt(Code, "symlinks", Choice(&["keep", "follow"]), "follow", "`keep` packages a symbolic link as a link, `follow` packages its target. Default `keep`."),
    opt(Code, "repack", Flag, "true", "Pack the files of a ready archive again, so that the same files always give the same package."),
    opt(Code, "compression", Choice(&["fast", "best"]), "best", "`best` takes more time for a smaller package, `fast` less time for a larger one. Default: between the two."),
    opt(Code, "s3_bucket", Text, "my-packages", "Bucket in the function's Region for uploading the package. Needed for packages over 50 MB. It must exist."),
    opt(Code, "s3_prefix", Text, "lambda/", "Prefix of the object's key. The key is the package's hash."),
    opt(Code, "s3_key", Text, "thumbnails.zip", "Key of the object, instead of the package's hash. With your own key the package is always uploaded. Without `zip`: the key of an archive in the bucket to deploy."),
    opt(Code, "s3_object_version", Text, "3HL4kqtJvjVBH40Nrjfkd", "Version of the object. Only with `s3_key` and without `zip`. Default: the newest."),
    opt(Code, "s3_expected_owner", Text, "123456789012", "Account that must own the bucket."),
    opt(Code, "s3_kms_key_arn", Text, "arn:aws:kms:eu-west-1:123456789012:key/…", "Key that encrypts the object. Default: the bucket's own encryption."),
    opt(Code, "source_kms_key_arn", Text, "arn:aws:kms:eu-west-1:123456789012:key/…", "Key that encrypts the package in Lambda. Default: the live function's key."),
    opt(Code, "ignore", List, "waste", "Names of package checks to ignore."),
    opt(Release, "only", Choice(&["code", "settings"]), "code", "Deploy one half and leave the other alone: `code` is the package or image, `settings` are settings, tags and attachments. Versions and the alias belong to both. The function must exist."),
    opt(Release, "publish", FlagOr(&["always"]), "true", "Publish a version, unless the newest version already has this code and these settings; `always` publishes one in each deployment.").ambient(),
    opt(Release, "alias", Text, "live", "Alias to move to the published version when that is ready. Created if it does not exist. Implies `publish`."),
    opt(Release, "smoke_test", Structure(&shapes::SMOKE_TESTS), "{payload: {ping: true}, expect: {ok: true}}", "Tests that a new version must pass before the `alias` points at it: calls (`payload` or `payload_file`, `expect`, `matches`, `status_code`, `max_duration`), or commands (`run`). `retries` repeats a failed test; `when: after_traffic` tests through the alias.").in_file(InFile::Reads),
    opt(Release, "traffic_shifting", Structure(&shapes::TRAFFIC_SHIFTING), "{steps: [5, 25, 50], interval: 120, alarms: [orders-errors], max_error_rate: 1}", "Give the new version the traffic of the `alias` in steps: a name of CodeDeploy such as `Canary10Percent5Minutes`, or a map with `type` or `steps` (percent) and `interval` (seconds). An alarm, or more than `max_error_rate` percent errors of at least `min_invocations` (20), gives all traffic back."),
    opt(Release, "rollback_on_failure", Flag, "false", "With `alias`: whether the alias goes back to the version before if a smoke test or a command of `run` fails after the new version got traffic. Default `true`."),
    opt(Release, "version_description", Text, "%{git_sha}", "Description of the version. `%{…}` is replaced. Default: commit and build."),
    opt(Release, "redeploy", Flag, "true", "Make a version live again that was rolled back. Default: the run stops if the code and settings are those of such a version."),
    opt(Release, "keep_versions", Structure(&shapes::KEEP_VERSIONS), "{count: 10, days: 30}", "Old versions to keep: the newest `count`, and those not older than `days`. A number alone is the count. Other versions are deleted, unless an alias, provisioned concurrency or a rollback needs them."),
    opt(Release, "layer", Map, "{name: deps, zip: layer}", "Layer to publish before the function, or on its own if the block has no `function_name`. Keys: `name`, `zip` (default `layer`), `include`, `exclude`, `symlinks`, `dot_match`, `repack`, `compression`, `compatible_runtimes`, `compatible_architectures`, `description`, `license_info`."),
    opt(Release, "extension", FlagOr(&["external", "internal"]), "true", "Publish the program as a Lambda extension in a layer, and deploy no function. `layer` or `function_name` gives the layer's name."),
    opt(Release, "revision_id", Text, "…", "Revision id that the live function must have. Otherwise the run stops before its first write."),
    around(CodeSigning, "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-…", "ARN of the code signing configuration. Attached before the code is uploaded.").clearable().in_map("CodeSigningConfigArn"),
    around(RuntimeManagement, "FunctionUpdate", "When AWS updates the runtime of the function: `Auto`, `FunctionUpdate`, or a map with `update_runtime_on: Manual` and `runtime_version_arn`."),
    around(RecursiveLoop, "Allow", "Whether Lambda stops the function when it invokes itself in a loop: `Allow` or `Terminate`.").in_map("RecursiveLoop"),
    around(LogRetention, "30", "Days to keep the log. Creates the log group if it does not exist.").clearable().in_map("RetentionInDays"),
    around(ReservedConcurrency, "5", "Number of concurrent executions that are reserved for the function. It is also the limit: 0 stops the function.").clearable().in_map("ReservedConcurrentExecutions"),
    around(ProvisionedConcurrency, "2", "Number of execution environments to keep ready for the `alias`.").clearable().in_map("ProvisionedConcurrentExecutions"),
    around(AsyncConfig, "{maximum_retry_attempts: 1, destination_config: {on_failure: arn:aws:sqs:…}}", "Retries, maximum age and destinations of asynchronous invocations.").clearable(),
    around(FunctionUrl, "{auth_type: NONE, cors: {allow_origins: ['*']}}", "URL of the function. `true` creates one with the defaults (`AWS_IAM`), `false` deletes it: a new URL gets a different address. A public URL (`NONE`) gets the two permissions that it needs."),
    around(Permissions, "{statement_id: from-s3, principal: s3.amazonaws.com, source_arn: arn:aws:s3:::uploads}", "Statements of the resource policy, by id: who may invoke the function, such as S3, SNS, EventBridge or API Gateway. Other statements stay."),
    opt(Group::Around, "permissions_mode", Choice(&["replace", "merge"]), "replace", "`replace` also removes statements that the block does not name. Default `merge`."),
    around(EventSources, "{event_source_arn: arn:aws:sqs:…:jobs, batch_size: 5}", "Queues and streams that Lambda reads for the function: SQS, Kinesis, DynamoDB, MSK, Kafka, MQ, DocumentDB. A new mapping of a stream needs `starting_position`. Other mappings stay."),
    opt(Group::Around, "event_sources_mode", Choice(&["replace", "merge"]), "replace", "`replace` also removes event source mappings that the block does not name. Default `merge`."),
    opt(Run, "config", Text, "deploy/dpl.yml", "File with the YAML block, whose paths are relative to it. Default: the first that exists of `dpl.yml`, `.dpl.yml`, `.travis.yml`."),
    opt(Run, "stage", Text, "prod", "Stage to deploy, of those under `stages` in the YAML file. Default: the stage whose `branch` fits the build.").in_file(InFile::Never),
    opt(Run, "trust_config", Flag, "true", "Allow the YAML file to set what otherwise only flags and variables may set: `endpoint_url` of another machine, `profile`, `web_identity_token_env`, and files outside of the checkout. Use it only if every change of the file is reviewed. It cannot be set in the file itself.").in_file(InFile::Never),
    opt(Run, "dry_run", FlagOr(&["aws"]), "true", "Show the plan and change nothing. `--dry_run=aws` also runs AWS' own dry run of the code update."),
    // No CI runs a job for longer than a day.
    opt(Run, "wait_timeout", Number { least: 1, most: 86_400 }, "600", "Seconds to wait for one function, in all. Default 600; with `snap_start` 1800."),
    opt(Run, "ci", Text, "github", "CI for which to write the log, instead of the detected one; `none` for plain text."),
    opt(Run, "format", Choice(&["text", "json"]), "json", "`json` prints one JSON document on standard output, and everything else on standard error."),
    opt(Run, "junit", Text, "report.xml", "File for a JUnit report.").in_file(InFile::Writes(&["xml"])),
    opt(Run, "color", Choice(&["auto", "always", "never"]), "never", "Colour the log. Default `auto`: on a terminal and in CIs that show colours, unless `NO_COLOR` is set."),
    opt(Run, "quiet", Flag, "true", "Print only results, warnings and errors."),
    opt(Run, "if_skipped", Choice(&["ok", "warning", "error"]), "error", "What to do if every block was skipped: `ok` (the default) only reports it, `warning` warns, `error` fails with exit code 3."),
    opt(Run, "parallel", Number { least: 1, most: 32 }, "4", "How many functions of the configuration are read and deployed at once: 1 to 32. Default: by the processors of the machine, 4 to 16."),
    opt(Run, "keep_going", Flag, "true", "After a failure, deploy the other functions all the same. By default those in progress end, and no other one begins."),
    opt(Run, "all_or_nothing", Flag, "true", "The aliases of all functions move, or none: they move when every function has its new version and has passed its tests, and go back after a failure. Every function needs an `alias`."),
    opt(Run, "after", Ids, "[database, queue-*]", "Functions of the file that are deployed before this one: names or patterns. If one of them fails, this one is not deployed."),
    opt(Run, "output_file", Text, "deploy.env", "File for the outputs: JSON if the name ends in `.json`, else lines of `KEY=value` for GitLab's `artifacts:reports:dotenv`.").in_file(InFile::Writes(&["json", "env", "properties", "txt"])),
    opt(Run, "summary_file", Text, "summary.md", "File for the summary, in Markdown.").in_file(InFile::Writes(&["md", "txt"])),
    opt(Run, "comment", Flag, "true", "Put the plan into a comment on the pull or merge request, and renew it with each run: GitHub, Gitea, Forgejo, GitLab, Bitbucket, Azure DevOps. For `plan` and dry runs."),
    opt(Run, "comment_token", Secret, "…", "Token that writes the comment. Default: the variable `GITHUB_TOKEN`, or on other services `GITLAB_TOKEN`, `BITBUCKET_TOKEN`, `SYSTEM_ACCESSTOKEN`.").in_file(InFile::Nothing),
    opt(Run, "gitlab_annotations_file", Text, "links.json", "File for links to the deployed functions, for GitLab's `artifacts:reports:annotations`.").in_file(InFile::Writes(&["json"])),
    opt(Run, "gitlab_codequality_file", Text, "gl-code-quality-report.json", "File for warnings and errors with their lines, for GitLab's `artifacts:reports:codequality`.").in_file(InFile::Writes(&["json"])),
    opt(Run, "log", Choice(&["text", "json"]), "json", "`json` prints each event of the run as a line of JSON on standard error."),
    opt(Run, "verbose", Flag, "true", "Print the reason of each decision, and every function in the table at the end."),
    opt(Run, "cleanup", Flag, "true", "Stash uncommitted files with `git stash --all` before packaging, and restore them afterwards.").ambient(),
    opt(Run, "run", List, "./smoke.sh", "Shell commands to run after a successful deployment, also after one without changes."),
    opt(Run, "fold", Flag, "true", "Print Travis' fold markers if no other CI is detected."),
    opt(Run, "edge", Flag, "true", "Accepted for compatibility with dpl. Has no effect."),
    opt(Run, "backtrace", Flag, "true", "Accepted for compatibility with dpl. Has no effect."),
];

/// The names of the options that `clear` can empty.
pub fn clearable() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().filter(|option| option.clear == Clear::Yes).map(|option| option.name)
}

/// The option of a name or alias. Dashes and underscores are equal.
pub fn find(name: &str) -> Option<&'static Opt> {
    let name = canonical(name);
    OPTIONS.iter().find(|option| option.name == name || option.aliases.contains(&&*name))
}

/// Whether a key names a member. `log_group`, `log-group`, `LogGroup` and `logGroup` are the same.
pub(super) fn same_key(key: &str, member: &str) -> bool {
    let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
    plain(key) == plain(member)
}

/// A name with underscores, in lower case.
pub fn canonical(name: &str) -> String {
    name.replace(['-', '.'], "_").to_ascii_lowercase()
}

/// The error about a name that is not an option.
pub(super) fn unknown(name: &str) -> Problem {
    let problem = Problem::new(format!("`{name}` is not an option"));
    match nearest_key(name) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// The option or key of a block nearest to a wrong name; absent: none is similar.
pub(super) fn nearest_key(wrong: &str) -> Option<&'static str> {
    let keys = ["provider", "on", "allow_failure", "skip_cleanup", "deploy", "for_each", "stages"];
    nearest_of(wrong, names().chain(keys))
}

/// The option nearest to a wrong name; absent: none is similar.
pub fn nearest(wrong: &str) -> Option<&'static str> {
    nearest_of(wrong, names())
}

fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().flat_map(|option| std::iter::once(option.name).chain(option.aliases.iter().copied()))
}

/// The name nearest to a wrong name; absent: none is similar.
pub(super) fn nearest_of<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wrong = canonical(wrong);
    names
        .map(|name| (strsim::jaro_winkler(&wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_is_unique() {
        let mut seen = BTreeSet::new();
        for option in OPTIONS {
            for name in std::iter::once(option.name).chain(option.aliases.iter().copied()) {
                assert!(seen.insert(name), "`{name}` is not unique");
                assert_eq!(canonical(name), name);
            }
            assert!(option.meaning.ends_with('.'), "{} has no sentence", option.name);
        }
    }

    /// A new option of a dangerous kind is found by its name: somebody has to think about it.
    #[test]
    fn what_decides_about_credentials_and_files_is_not_for_everybody_to_say() {
        let signs = ["_url", "_file", "_env", "_dir", "_path", "_command", "_endpoint", "profile", "junit", "trust"];
        // The address that a function gets.
        let harmless = ["function_url", "file_system_configs"];
        for option in OPTIONS {
            let is_sign =
                |sign: &&str| format!("_{}_", option.name).contains(&format!("{}_", sign.trim_end_matches('_')));
            if signs.iter().any(is_sign) && !harmless.contains(&option.name) {
                assert_ne!(option.in_file, InFile::Anything, "{}", option.name);
            }
        }
    }

    #[test]
    fn names_are_found_by_either_spelling_and_by_alias() {
        assert_eq!(find("Function-Name").unwrap().name, "function_name");
        assert_eq!(find("environment_variables").unwrap().name, "environment");
        assert_eq!(find("dead-letter-config").unwrap().member, Some("TargetArn"));
        assert!(find("memory").is_none());
    }

    #[test]
    fn a_typo_gets_the_right_suggestion() {
        for (wrong, meant) in [
            ("funtion_name", "function_name"),
            ("memory", "memory_size"),
            ("enviroment", "environment"),
            ("timout", "timeout"),
        ] {
            assert_eq!(nearest(wrong), Some(meant));
        }
        assert_eq!(nearest("nonsense"), None);
    }
}
