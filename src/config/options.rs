//! The table of options, one row each.
//!
//! Flags, variables, YAML keys, the nearest-key suggestion, the help and the table in docs/options.md all come from it.

use crate::settings::{Attachment, Shape, shapes};
pub use crate::verb::Group;

/// An option of the tool.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// The canonical name, with underscores.
    pub name: &'static str,
    /// Other names that mean the same everywhere.
    pub aliases: &'static [Alias],
    /// What kind of value it takes.
    pub kind: Kind,
    /// Where the help and the manual show it.
    pub group: Group,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// Whether `LAMBDA_<OPTION>` and `AWS_<OPTION>` are read.
    pub ambient: Ambient,
    /// An example value for the manual; empty for flags.
    pub example: &'static str,
    /// Whether `clear` can empty it.
    pub clear: Clear,
    /// What a file of the checkout may say of it, which may be the work of whoever wrote a pull request.
    pub in_file: InFile,
}

/// What a file may say of an option. Flags and variables may say anything, and a file that is trusted nearly so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFile {
    /// Anything: it decides about what is deployed, and a deployment does what its file says.
    Anything,
    /// An address of this machine: credentials go there.
    ThisMachine,
    /// Nothing: it decides who acts, or which secret is read.
    Nothing,
    /// Files of the checkout to read.
    Reads,
    /// Files of the checkout, or an archive that is anywhere: it is sent as a package.
    Packs,
    /// A file of the checkout that results are written to, and what its name may end with: nothing runs a file of such a
    /// name.
    Writes(&'static [&'static str]),
    /// Nothing, also where the file is trusted: it is about the file itself.
    Never,
}

/// Whether `clear` can empty what an option sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clear {
    /// It can.
    Yes,
    /// It always has a value, or is emptied by other means.
    No,
}

/// Another name of an option.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// The member to take where the value is a map, as the API's own structures are.
    pub member: Option<&'static str>,
}

/// What kind of value an option takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text or a number.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Flag,
    /// Yes, no, or one of these words.
    FlagOr(&'static [&'static str]),
    /// Texts; in a variable one a line or a JSON array.
    List,
    /// Globs, and maps that say where files come from; otherwise as a list.
    Files,
    /// Identifiers and ARNs, which commas separate too.
    Ids,
    /// Texts by key; a list or lines of `KEY=VALUE`, or a JSON object.
    Map,
    /// A map or list in the API's shape, or a text that stands for one.
    Structure(&'static Shape),
    /// A text that is never shown.
    Secret,
}

/// Whether the variables that dpl reads count for an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambient {
    /// `LAMBDA_<OPTION>`, then `AWS_<OPTION>`.
    Read,
    /// Neither: such a variable is likely to mean something else.
    Ignored,
}

const fn opt(group: Group, name: &'static str, kind: Kind, example: &'static str, meaning: &'static str) -> Opt {
    Opt {
        name,
        aliases: &[],
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

    /// What a file may say of it, where that is not anything.
    const fn in_file(mut self, may: InFile) -> Self {
        self.in_file = may;
        self
    }

    const fn also(mut self, aliases: &'static [Alias]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// An option for something around the function.
const fn around(attachment: Attachment, example: &'static str, meaning: &'static str) -> Opt {
    opt(Group::Around, attachment.option(), Structure(attachment.shape()), example, meaning)
}

const fn name(name: &'static str) -> Alias {
    Alias { name, member: None }
}

const fn member(name: &'static str, member: &'static str) -> Alias {
    Alias { name, member: Some(member) }
}

use crate::settings::Attachment::{
    AsyncConfig, CodeSigning, EventSources, FunctionUrl, LogRetention, Permissions, ProvisionedConcurrency,
    RecursiveLoop, ReservedConcurrency, RuntimeManagement,
};
use Group::{Code, Function, Release, Run, Target};
use Kind::{Choice, Files, Flag, FlagOr, Ids, List, Map, Secret, Structure, Text};

/// Every option.
pub const OPTIONS: &[Opt] = &[
    opt(Target, "access_key_id", Secret, "AKIA…", "Access key id. Without it the SDK's own chain finds credentials: variables, web identity, profile, container, instance.").ambient(),
    opt(Target, "secret_access_key", Secret, "…", "Secret access key; given together with `access_key_id`, from the same place.").ambient(),
    opt(Target, "session_token", Secret, "…", "Session token of temporary keys.").ambient(),
    opt(Target, "region", Text, "eu-west-1", "Region of the function. Without it the SDK's chain decides; there is no silent default.").ambient(),
    opt(Target, "profile", Text, "deploy", "Profile in the shared AWS configuration files.").ambient().in_file(InFile::Nothing),
    opt(Target, "role_to_assume", Text, "arn:aws:iam::123456789012:role/ci", "Role in whose name to deploy: an ARN, or a name that is completed with the account. Assumed with the OIDC token of GitHub, GitLab, Bitbucket or CircleCI, or else with keys, profile or chain; keys or a profile that are given come first."),
    opt(Target, "role_session_name", Text, "deploy-thumbnails", "Name of the role's session in AWS' logs. Default: `dpl-lambda` and the build's number."),
    opt(Target, "role_duration", Text, "1800", "Seconds for which the role's keys hold, at most as the role allows: 900 to 43200. Default 3600. They are renewed in time."),
    opt(Target, "external_id", Text, "a-partners-id", "External id that the role's trust policy wants; not sent with an OIDC token."),
    opt(Target, "web_identity_token_env", Text, "DEPLOY_TOKEN", "Variable that holds the OIDC token. Default: what GitHub hands out, then the first of `AWS_ID_TOKEN`, `GITLAB_OIDC_TOKEN`, `BITBUCKET_STEP_OIDC_TOKEN`, `CIRCLE_OIDC_TOKEN_V2`, `CIRCLE_OIDC_TOKEN`.").in_file(InFile::Nothing),
    opt(Target, "expect_account", Text, "123456789012", "The only account that may be changed; in any other the run stops before its first write."),
    opt(Target, "endpoint_url", Text, "http://localhost:4566", "Endpoint to call instead of the Region's own, as for a local emulator.").ambient().in_file(InFile::ThisMachine),
    opt(Function, "function_name", Text, "thumbnails", "Name or ARN of the function. Required, except by `package`, `list` and for a layer alone.").ambient(),
    opt(Function, "role", Text, "arn:aws:iam::123456789012:role/thumbnails", "Execution role: an ARN, or a name that is completed with the account. Needed to create the function.").ambient(),
    opt(Function, "create_role", Flag, "true", "Make an execution role for a function that is new, where no `role` is named: `dpl-lambda-` and the function's name, with the right to write its log, and to be in a VPC where one is named."),
    opt(Function, "runtime", Text, "python3.13", "Runtime identifier. Needed to create the function, unless the package has a `bootstrap`: then `provided.al2023`.").ambient(),
    opt(Function, "handler", Text, "index.handler", "The full handler. Wins over `module_name` and `handler_name`."),
    opt(Function, "handler_name", Text, "handler", "The method; joined with `module_name` as the runtime wants it.").ambient(),
    opt(Function, "module_name", Text, "index", "File, package or class of `handler_name`. Default `index`.").ambient(),
    opt(Function, "architecture", Choice(&["x86_64", "arm64"]), "arm64", "Instruction set of the code. Default: that of the package's programs, else the live function's.").also(&[name("architectures")]),
    opt(Function, "description", Text, "Build %{build_number}", "What people read about the function. `%{…}` is filled in.").ambient().also(&[name("function_description")]).clearable(),
    opt(Function, "timeout", Text, "10", "Seconds that one invocation may take: 1 to 900.").ambient(),
    opt(Function, "memory_size", Text, "256", "Memory in MB: 128 to 10240.").ambient(),
    opt(Function, "ephemeral_storage", Text, "1024", "Size of `/tmp` in MB: 512 to 10240.").also(&[]),
    opt(Function, "environment", Map, "STAGE: prod", "Variables to set. `{from_env: NAME}` takes a value from the CI's environment; a null value unsets the key.").ambient().also(&[name("environment_variables")]).clearable(),
    opt(Function, "env_file", List, "prod.env", "Files of `KEY=VALUE` lines; `environment` wins over them.").in_file(InFile::Reads),
    opt(Function, "environment_mode", Choice(&["replace", "merge"]), "merge", "What happens to variables that exist only on the function: `replace` drops them, `merge` keeps them. Without it a deploy that would drop any is refused."),
    opt(Function, "layers", Ids, "arn:aws:lambda:eu-west-1:123456789012:layer:deps:3", "Layers, at most five, in the order in which they are merged: ARNs of versions; ARNs without a version, or names in the same account, for the newest.").ambient().clearable(),
    opt(Function, "subnet_ids", Ids, "subnet-0a1b2c3d", "Subnets of the VPC. An explicitly empty list detaches.").ambient().clearable(),
    opt(Function, "security_group_ids", Ids, "sg-0a1b2c3d", "Security groups in the VPC. An explicitly empty list detaches.").ambient().clearable(),
    opt(Function, "ipv6_allowed_for_dual_stack", Flag, "true", "Use IPv6 in subnets that have it."),
    opt(Function, "vpc_config", Structure(&shapes::VPC_CONFIG), "{subnet_ids: [subnet-0a1b2c3d], security_group_ids: [sg-0a1b2c3d]}", "The three options above in one, as the API has them."),
    opt(Function, "dead_letter_arn", Text, "arn:aws:sqs:eu-west-1:123456789012:failed", "Queue or topic for failed asynchronous events.").ambient().also(&[member("dead_letter_config", "TargetArn")]).clearable(),
    opt(Function, "kms_key_arn", Text, "arn:aws:kms:eu-west-1:123456789012:key/…", "Key that encrypts the environment.").ambient().clearable(),
    opt(Function, "tracing_mode", Choice(&["Active", "PassThrough"]), "Active", "X-Ray sampling.").ambient().also(&[member("tracing_config", "Mode")]),
    opt(Function, "logging_config", Structure(&shapes::LOGGING_CONFIG), "{log_format: JSON, application_log_level: WARN, log_group: /team/media}", "What the log looks like and where it goes."),
    opt(Function, "snap_start", Structure(&shapes::SNAP_START), "PublishedVersions", "Whether published versions start from a snapshot: `PublishedVersions` or `None`."),
    opt(Function, "file_system_configs", Structure(&shapes::FILE_SYSTEM_CONFIGS), "{arn: arn:aws:elasticfilesystem:…:access-point/fsap-…, local_mount_path: /mnt/data}", "Access point of EFS and where it is mounted; needs a VPC.").clearable(),
    opt(Function, "image_config", Structure(&shapes::IMAGE_CONFIG), "{command: [app.handler]}", "What overrides the image's own `entry_point`, `command` and `working_directory`.").clearable(),
    opt(Function, "durable_config", Structure(&shapes::DURABLE_CONFIG), "{execution_timeout: 3600, retention_period_in_days: 7}", "Limits of durable executions."),
    opt(Function, "tenancy_config", Structure(&shapes::TENANCY_CONFIG), "PER_TENANT", "Whether each tenant has execution environments of its own. Only when the function is created."),
    opt(Function, "function_tags", Map, "team: media", "Tags to add or overwrite.").ambient().also(&[name("tags")]),
    opt(Function, "function_tags_mode", Choice(&["replace", "merge"]), "replace", "`replace` also removes tags that are not named; default `merge`."),
    opt(Function, "clear", List, "description", "Settings to empty, by name; docs/options.md says which options can be emptied."),
    opt(Code, "zip", Text, "dist", "Directory, single file, or ready `.zip` or `.jar`. Default: what `cargo lambda build` made, else the working directory.").ambient().also(&[name("source"), name("code_artifacts_dir")]).in_file(InFile::Packs),
    opt(Code, "image_uri", Text, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v3", "Container image in ECR, by tag or digest, instead of a package. A tag is looked up, and its digest is what is deployed."),
    opt(Code, "package_type", Choice(&["Zip", "Image"]), "Image", "Only checked: `Image` needs `image_uri`, and `Zip` excludes it."),
    opt(Code, "include", Files, "src/**/*.py", "Globs of what goes in, relative to the package root; a directory takes all under it. Default: everything. `{from, glob, to}` brings files from elsewhere.").in_file(InFile::Packs),
    opt(Code, "exclude", List, "*.test.js", "gitignore lines of what stays out, beside a `.lambdaignore` at the package root."),
    opt(Code, "dot_match", Flag, "true", "Take hidden names at the package root too.").ambient(),
    opt(Code, "symlinks", Choice(&["keep", "follow"]), "follow", "Keep links inside the package as links, or package what links point to. Default `keep`."),
    opt(Code, "s3_bucket", Text, "my-packages", "Bucket in the function's Region through which the package is sent. Needed for packages over 50 MB; never created.").also(&[]),
    opt(Code, "s3_prefix", Text, "lambda/", "Put before the object's key, which is the package's hash."),
    opt(Code, "s3_key", Text, "thumbnails.zip", "Key of the object instead of one made from its hash; an object with a key of yours is always sent. Without `zip`, the key of an archive to deploy that is in the bucket already."),
    opt(Code, "s3_object_version", Text, "3HL4kqtJvjVBH40Nrjfkd", "Version of the object; only with `s3_key` and without `zip`. Default: the newest."),
    opt(Code, "s3_expected_owner", Text, "123456789012", "Account that the bucket must belong to."),
    opt(Code, "s3_kms_key_arn", Text, "arn:aws:kms:eu-west-1:123456789012:key/…", "Key that encrypts the object. Default: the bucket's own encryption."),
    opt(Code, "source_kms_key_arn", Text, "arn:aws:kms:eu-west-1:123456789012:key/…", "Key that encrypts the package where Lambda keeps it. Default: the live one."),
    opt(Code, "ignore", List, "waste", "Rules of the package's inspection that do not count, by name."),
    opt(Release, "publish", Flag, "true", "Publish a version when the newest is not this code and these settings already.").ambient(),
    opt(Release, "alias", Text, "live", "Alias that points at the published version once that is ready; created where there is none. Implies `publish`."),
    opt(Release, "version_description", Text, "%{git_sha}", "Description of the version; `%{…}` is filled in. Default: commit and build."),
    opt(Release, "keep_versions", Text, "10", "How many of the newest versions are kept; older ones are deleted unless an alias or provisioned concurrency points at them, or a rollback would."),
    opt(Release, "layer", Map, "{name: deps, zip: layer}", "Layer that is published before the function, or alone where the block has no `function_name`: `name`, `zip` (default `layer`), `include`, `exclude`, `symlinks`, `dot_match`, `compatible_runtimes`, `compatible_architectures`, `description`, `license_info`."),
    opt(Release, "extension", FlagOr(&["external", "internal"]), "true", "Publish the program as a Lambda extension, in a layer of the name of `layer` or `function_name`, and no function."),
    opt(Release, "revision_id", Text, "…", "Revision that the live function must have; otherwise the run stops before its first write."),
    around(CodeSigning, "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-…", "Whose signatures the package must have. Attached before the code is sent.").clearable(),
    around(RuntimeManagement, "FunctionUpdate", "When AWS moves the function to another build of its runtime: `Auto`, `FunctionUpdate`, or a map with `update_runtime_on: Manual` and `runtime_version_arn`."),
    around(RecursiveLoop, "Allow", "What Lambda does when the function calls itself in a circle: `Allow` or `Terminate`."),
    around(LogRetention, "30", "Days for which the log is kept. Makes the log group where there is none.").clearable(),
    around(ReservedConcurrency, "5", "Executions at the same time that are set aside for the function, which it never exceeds; 0 stops it.").clearable(),
    around(ProvisionedConcurrency, "2", "Execution environments of the `alias` that are kept ready.").clearable(),
    around(AsyncConfig, "{maximum_retry_attempts: 1, destination_config: {on_failure: arn:aws:sqs:…}}", "Retries, age and destinations of asynchronous invocations.").clearable(),
    around(FunctionUrl, "{auth_type: NONE, cors: {allow_origins: ['*']}}", "The function's own address; `true` for one with the defaults (`AWS_IAM`), `false` to delete it for good. A public one (`NONE`) gets the two permissions that it needs."),
    around(Permissions, "{statement_id: from-s3, principal: s3.amazonaws.com, source_arn: arn:aws:s3:::uploads}", "Statements of the resource policy by their ids: who may invoke the function, such as S3, SNS, EventBridge and API Gateway. Others stay."),
    opt(Group::Around, "permissions_mode", Choice(&["replace", "merge"]), "replace", "`replace` also removes statements that are not named; default `merge`."),
    around(EventSources, "{event_source_arn: arn:aws:sqs:…:jobs, batch_size: 5}", "Queues and streams that Lambda reads for the function: SQS, Kinesis, DynamoDB, MSK, Kafka, MQ, DocumentDB. A new one of a stream needs `starting_position`. Others stay."),
    opt(Group::Around, "event_sources_mode", Choice(&["replace", "merge"]), "replace", "`replace` also removes event source mappings that are not named; default `merge`."),
    opt(Run, "config", Text, "deploy/dpl.yml", "File with the YAML block. Default: the first of `dpl.yml`, `.dpl.yml`, `.travis.yml`."),
    opt(Run, "trust_config", Flag, "true", "Let the file with the YAML block say what only flags and variables may say otherwise: `endpoint_url` of another machine, `profile`, `web_identity_token_env`, and files outside of the checkout. Only for files that nobody changes without a review; has no effect in the file itself.").in_file(InFile::Never),
    opt(Run, "dry_run", FlagOr(&["aws"]), "true", "Show the plan and change nothing; `--dry_run=aws` also lets AWS check the code update by its own dry run."),
    opt(Run, "wait_timeout", Text, "600", "Seconds that all waiting for one function may take. Default 600; 1800 with `snap_start`."),
    opt(Run, "ci", Text, "github", "The CI whose dialect is spoken, instead of the one detected; `none` for plain text."),
    opt(Run, "format", Choice(&["text", "json"]), "json", "`json` puts one JSON document on standard output and everything else on standard error."),
    opt(Run, "junit", Text, "report.xml", "Write what happened as a JUnit report to this file.").in_file(InFile::Writes(&["xml"])),
    opt(Run, "color", Choice(&["auto", "always", "never"]), "never", "Colour the log. Default `auto`: on a terminal and in CIs that show it, unless `NO_COLOR` is set."),
    opt(Run, "quiet", Flag, "true", "Say only what was deployed, and what is wrong."),
    opt(Run, "if_skipped", Choice(&["ok", "warning", "error"]), "error", "What becomes of a run in which every block was skipped: `ok` (the default) only says so, `error` ends with 3."),
    opt(Run, "output_file", Text, "deploy.env", "File for the outputs: JSON where the name ends in `.json`, else lines of `KEY=value`, as GitLab's `artifacts:reports:dotenv` takes them.").in_file(InFile::Writes(&["json", "env", "properties", "txt"])),
    opt(Run, "summary_file", Text, "summary.md", "File for the summary, in Markdown.").in_file(InFile::Writes(&["md", "txt"])),
    opt(Run, "gitlab_annotations_file", Text, "links.json", "File for links to what was deployed, as GitLab's `artifacts:reports:annotations` takes them.").in_file(InFile::Writes(&["json"])),
    opt(Run, "gitlab_codequality_file", Text, "gl-code-quality-report.json", "File for mistakes with their lines, as GitLab's `artifacts:reports:codequality` takes them.").in_file(InFile::Writes(&["json"])),
    opt(Run, "verbose", Flag, "true", "Tell why each decision was made."),
    opt(Run, "cleanup", Flag, "true", "Stash uncommitted files with `git stash --all` before packaging and bring them back afterwards.").ambient(),
    opt(Run, "run", List, "./smoke.sh", "Shell commands after a successful deploy, also one that had nothing to do."),
    opt(Run, "fold", Flag, "true", "Print Travis' fold markers where no other CI is detected."),
    opt(Run, "edge", Flag, "true", "Accepted for dpl's command line; has no effect."),
    opt(Run, "backtrace", Flag, "true", "Accepted for dpl's command line; has no effect."),
];

/// The names of the options that `clear` can empty.
pub fn clearable() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().filter(|option| option.clear == Clear::Yes).map(|option| option.name)
}

/// The option of a name, canonical or not; dashes and underscores are the same. With it the member that an alias takes.
pub fn find(name: &str) -> Option<(&'static Opt, Option<&'static str>)> {
    let name = canonical(name);
    OPTIONS.iter().find_map(|option| {
        if option.name == name {
            return Some((option, None));
        }
        option.aliases.iter().find(|alias| alias.name == name).map(|alias| (option, alias.member))
    })
}

/// A name with underscores, in lower case.
pub fn canonical(name: &str) -> String {
    name.replace(['-', '.'], "_").to_ascii_lowercase()
}

/// The option or key of a block nearest to a wrong name, where one is near enough to be meant.
pub(super) fn nearest_key(wrong: &str) -> Option<&'static str> {
    nearest_of(wrong, names().chain(["provider", "on", "allow_failure", "skip_cleanup", "deploy"]))
}

/// The option nearest to a wrong name, where one is near enough to be meant.
pub fn nearest(wrong: &str) -> Option<&'static str> {
    nearest_of(wrong, names())
}

fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().flat_map(|option| std::iter::once(option.name).chain(option.aliases.iter().map(|alias| alias.name)))
}

/// The name nearest to a wrong one, where one is near enough to be meant.
pub(super) fn nearest_of(wrong: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
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
    fn no_name_stands_twice() {
        let mut seen = BTreeSet::new();
        for option in OPTIONS {
            for name in std::iter::once(option.name).chain(option.aliases.iter().map(|alias| alias.name)) {
                assert!(seen.insert(name), "`{name}` stands twice");
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
        assert_eq!(find("Function-Name").unwrap().0.name, "function_name");
        assert_eq!(find("environment_variables").unwrap().0.name, "environment");
        assert_eq!(find("dead-letter-config").unwrap().1, Some("TargetArn"));
        assert!(find("memory").is_none());
    }

    #[test]
    fn a_typo_is_answered_with_what_was_meant() {
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
