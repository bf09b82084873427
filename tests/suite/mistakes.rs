//! Mistakes in the configuration that public reports show: each has one message that names the way out.

use crate::harness::{Kind, Outcome, Universe, emulator};

const BLOCK: &str = "function_name: demo\nrole: r\nruntime: python3.12\nhandler: index.handler\nzip: src\n";

/// A universe with the common block and these lines more, which begin in line 6.
fn with(more: &str) -> Universe {
    Universe::empty().file("src/index.py", "def handler(e, c): return 1\n").file("dpl.yml", format!("{BLOCK}{more}"))
}

fn on(branch: &str, more: &str) -> Universe {
    with(more).with("DRONE", "true").with("DRONE_BRANCH", branch)
}

fn check(more: &str) -> Outcome {
    with(more).run("check")
}

#[test]
fn a_map_where_one_value_belongs_is_refused() {
    for (more, right) in [
        ("ephemeral_storage: {size: 1024}\n", "`ephemeral_storage: 1024` or `ephemeral_storage: {Size: 1024}`"),
        ("ephemeral_storage: {size: 1024}\non: {branch: main}\n", "`ephemeral_storage: 1024`"),
        ("timeout: {seconds: 30}\n", "`timeout: 30`"),
        ("memory_size: {value: 512, unit: MB}\n", "`memory_size: 256`"),
        ("memory_size: {}\n", "`memory_size: 256`"),
        ("region: {Ref: AWS::Region}\n", "`region: AWS::Region`"),
        ("publish: {enabled: true}\n", "`publish: true`"),
        ("layers: {Arn: 'arn:x'}\n", "`layers: arn:x`"),
        ("tracing_mode: {enabled: Active}\n", "`tracing_mode: Active`"),
        ("log_retention_days: {days: 30}\n", "`log_retention_days: 30`"),
    ] {
        for universe in [with(more), on("main", more)] {
            for verb in ["check", "plan", "", "render"] {
                universe.run(verb).code(3).says("takes one value").says("(dpl.yml:6:").says(right);
            }
        }
    }
    let secret = "access_key_id: {value: AKIAQ7LIVEKEY7LIVEKE}\n";
    check(secret).code(3).says("takes one value").never_says("AKIAQ7LIVEKEY7LIVEKE");
}

#[test]
fn the_apis_own_form_of_one_value_is_taken() {
    for (more, rendered) in [
        ("ephemeral_storage: {Size: 1024}\n", "ephemeral_storage: 1024 "),
        ("ephemeral_storage: {main: {Size: 1024}}\n", "ephemeral_storage: 1024 "),
        ("tracing_mode: {Mode: Active}\n", "tracing_mode: Active "),
        ("tracing_config: {mode: Active}\n", "tracing_mode: Active "),
        ("dead_letter_arn: {TargetArn: 'arn:aws:sqs:eu-west-1:123456789012:q'}\n", "dead_letter_arn: arn:aws:sqs:"),
        ("snap_start: {ApplyOn: None}\n", "ApplyOn: None"),
        ("reserved_concurrency: {ReservedConcurrentExecutions: 5}\n", "reserved_concurrency: 5 "),
        ("alias: live\nprovisioned_concurrency: {ProvisionedConcurrentExecutions: 2}\n", "provisioned_concurrency: 2 "),
        ("log_retention_days: {RetentionInDays: 30}\n", "log_retention_days: 30 "),
        ("recursive_loop: {RecursiveLoop: Allow}\n", "recursive_loop: Allow "),
        ("environment: {Variables: {AB: 1}}\n", "\n  AB: (hidden)"),
        ("environment: {Variables: {from_env: HOME}}\n", "\n  Variables:"),
    ] {
        on("main", more).run("render").code(0).says(rendered);
        on("main", more).run("check").code(0);
    }
    let flags = "--ephemeral_storage '{\"Size\": 1024}' --tracing_mode '{\"Mode\": \"Active\"}' \
                 --log_retention_days '{\"RetentionInDays\": 30}' --environment '{\"Variables\": {\"AB\": \"c\"}}'";
    let outcome = with("").run(&format!("render {flags}")).code(0);
    outcome.says("ephemeral_storage: 1024").says("log_retention_days: 30").says("AB: (hidden)");
    for more in ["ephemeral_storage: {Size: 1024, Unit: MB}\n", "environment: {Variables: {AB: 1}, CD: 2}\n"] {
        check(more).code(3).says("where it has no meaning (dpl.yml:6:");
    }
}

#[test]
fn maps_by_branch_stay_what_they_are_in_dpl() {
    for (branch, more, found) in [
        ("main", "memory_size: {main: 512, develop: 256}\n", Some("512")),
        ("feature-1", "memory_size: {feature-1: 512}\n", Some("512")),
        ("topic", "memory_size: {main: 512}\n", None),
        ("topic", "memory_size: {acme: 512}\ntimeout: {acme: 3}\n", None),
        ("topic", "memory_size: {acme: 512}\non: {branch: [acme, topic]}\n", None),
        ("release/7", "memory_size: {'release/*': 512, main: 256}\n", Some("512")),
        ("main", "memory_size: {'m*': 512, main: 256}\n", Some("256")),
        ("topic", "memory_size: {feature/x: 512}\n", None),
    ] {
        let universe = on(branch, more);
        match found {
            Some(found) => universe.run("render").code(0).says(&format!("memory_size: {found}")),
            None => universe.run("render").code(0).says("`memory_size` is given by branch").says("dpl.yml:6:"),
        };
    }
    let known_to_git = on("topic", "memory_size: {acme: 512}\n");
    known_to_git
        .shell("git init -q . && git -c user.name=a -c user.email=b commit -q --allow-empty -m x && git branch acme")
        .code(0);
    known_to_git.run("render").code(0).says("`memory_size` is given by branch");
    let travis = "deploy: {provider: lambda, function_name: {acme: demo}, zip: src}\n";
    let travis = Universe::empty().file(".travis.yml", travis).with("TRAVIS", "true").with("TRAVIS_BRANCH", "main");
    travis.run("").code(0).says("this branch is not permitted: main");
}

#[test]
fn an_option_without_a_value_for_this_branch_is_reported() {
    let more = "memory_size: {develop: 512}\non: {branch: [main, develop]}\n";
    let outcome = on("main", more).run("plan");
    outcome.says("warning: memory_size: has no value in this build").says("for `develop`, and this branch is `main`");
    on("develop", more).run("plan").never_says("has no value in this build");
    on("main", more).run("plan --memory_size 128").never_says("has no value in this build");
}

#[test]
fn a_skip_is_shown_once_for_a_block_and_never_hidden() {
    let block = "  - {function_name: {main: a}, role: {main: r}, timeout: {main: 3}, zip: src}\n";
    let universe = Universe::empty().file("dpl.yml", format!("deploy:\n{block}{block}"));
    let universe = universe.with("DRONE", "true").with("DRONE_BRANCH", "topic");
    for arguments in ["", "--quiet", "plan", "plan --quiet", "check", "check --quiet", "status", "status --quiet"] {
        let outcome = universe.run(arguments).code(0);
        assert_eq!(outcome.all().matches("by branch").count(), 2, "{arguments}: {}", outcome.all());
        let outcome = outcome.says("`function_name` is given by branch, for `main`, and this branch is `topic`");
        let last = outcome.says("(dpl.yml:3:21)").all();
        assert!(last.trim_end().lines().last().unwrap().contains("all 2 blocks were skipped"), "{last}");
    }
    let tagged = universe.with("DRONE_TAG", "v1").with("DRONE_BRANCH", "v1");
    tagged.run("plan --exit-code").code(0).says("this is a build of the tag `v1`").says("all 2 blocks were skipped");
}

#[test]
fn a_placeholder_that_nothing_replaces_is_refused_where_it_cannot_be_meant() {
    let works = |more: &str| if more.starts_with("access_key") { "set the variable" } else { "write `%{$NAME}`" };
    for (more, form) in [
        ("memory_size: ${MEM}\n", "`${…}`"),
        ("timeout: $TIMEOUT\n", "`$NAME`"),
        ("alias: ${{ vars.ALIAS }}\n", "`${{ … }}`"),
        ("publish: '{{ publish }}'\n", "`{{ … }}`"),
        ("region: ${AWS_REGION:-eu-west-1}\n", "`${…}`"),
        ("region: $(aws configure get region)\n", "`$(…)`"),
        ("layers: ['${LAYER}']\n", "`${…}`"),
        ("subnet_ids: subnet-1,$SUBNET\n", "`$NAME`"),
        ("function_tags: {stage: '${STAGE}'}\n", "`${…}`"),
        ("function_tags: {'${STAGE}': x}\n", "`${…}`"),
        ("function_tags: ['stage=${STAGE}']\n", "`${…}`"),
        ("environment: {'X_${STAGE}': x}\n", "`${…}`"),
        ("kms_key_arn: arn:aws:kms:eu-west-1:$ACCOUNT:key/k\n", "`$NAME`"),
        ("role_to_assume: 'arn:aws:iam::${self:custom.account}:role/x'\n", "`${…}`"),
        ("access_key_id: $AWS_ACCESS_KEY_ID\nsecret_access_key: $AWS_SECRET_ACCESS_KEY\n", "`$NAME`"),
        ("tracing_mode: ${TRACING}\n", "`${…}`"),
        ("dry_run: $DRY\n", "`$NAME`"),
        ("description: built by $(whoami)\n", "`$(…)`"),
        ("memory_size: {main: '${MEM}'}\n", "`${…}`"),
    ] {
        let universe = on("main", more);
        universe
            .run("check")
            .code(3)
            .says(&format!("with {form}, which is not r"))
            .says("(dpl.yml:6:")
            .says(works(more));
    }
    let name = BLOCK.replace("demo", "demo-${STAGE}").replace("role: r", "role: $ROLE");
    let outcome = Universe::empty().file("dpl.yml", name).run("check").code(3);
    outcome.says("function_name: has a value with `${…}`").says("role: has a value with `$NAME`").says("(dpl.yml:2:7)");
}

#[test]
fn a_placeholder_is_a_warning_where_it_can_be_meant() {
    for (more, form) in [
        ("description: Costs ${price}\n", "`${…}`"),
        ("environment: {GREETING: 'Hello ${name}'}\n", "`${…}`"),
        ("environment: {BUCKET: $BUCKET}\n", "`$NAME`"),
        ("environment: {TEMPLATE: 'Hi {{ name }}'}\n", "`{{ … }}`"),
        ("environment: 'TOKEN=${{ secrets.TOKEN }}'\n", "`${{ … }}`"),
        ("environment: ['TOKEN=$TOKEN']\n", "`$NAME`"),
        ("environment: {NOW: $(date)}\n", "`$(…)`"),
        ("permissions: {statement_id: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::${B}'}\n", "`${…}`"),
    ] {
        let outcome = check(more).code(0).says(&format!("with {form}, which is not r"));
        assert_eq!(outcome.says("(dpl.yml:6:").all().matches("which is not r").count(), 1, "{more}");
    }
    for more in [
        "environment: {PASSWORD: pa$$word, PRICE: 5$, REGEX: '^a{2}$'}\n",
        "description: Uses {braces} and 5$\n",
        "exclude: ['{{cookiecutter.name}}/**']\n",
        "environment: {QUERY: '{a{b}}'}\n",
        "run: echo ${HOME} $HOME\n",
        "on: {condition: '$HOME = x'}\n",
    ] {
        check(more).code(0).never_says("is not replaced here").never_says("is not run");
    }
    let java = "function_name: demo\nruntime: java21\nhandler: com.Outer$Inner::handle\nzip: src\n";
    Universe::empty().file("src/x", "").file("dpl.yml", java).run("check").never_says("is not replaced here");
    let password = "environment: {DB: 'postgres://u:pa${SS}w0rd@h/d'}\n";
    check(password).code(0).says("`${…}`").never_says("w0rd").never_says("SS}");
}

#[test]
fn a_from_env_has_a_default_and_no_other_members() {
    let value = |more: &str, variables: &[(&str, &str)]| {
        let universe = with(more);
        variables.iter().fold(universe, |universe, (name, value)| universe.with(name, value)).run("check")
    };
    let default = "environment: {STAGE: {from_env: CI_STAGE, default: dev}}\n";
    for variables in [&[][..], &[("CI_STAGE", "")], &[("CI_STAGE", "prod")]] {
        value(default, variables).code(0).never_says("not set");
    }
    value("environment: {STAGE: {from_env: CI_STAGE}}\n", &[]).code(0).says("`CI_STAGE`, which is not set");
    value("environment: {STAGE: {from_env: CI_STAGE, default: ''}}\n", &[]).code(0).never_says("not set");
    for (value, said) in [
        ("{from_env: A, default: [1]}", "needs a text as its `default` (dpl.yml:6:"),
        ("{from_env: [A]}", "needs a text as its `from_env` (dpl.yml:6:"),
        ("{from_env: A, fallback: x}", "has the member `fallback` (dpl.yml:6:"),
        ("{from_env: $A}", "is not the name of one (dpl.yml:6:"),
        ("{from_env: '${A}'}", "write the name alone"),
        ("{default: x}", "must be a text or `{from_env: NAME}` (dpl.yml:6:"),
        ("{fromEnv: A}", "has the member `fromEnv`"),
    ] {
        check(&format!("environment: {{STAGE: {value}}}\n")).code(3).says(said);
    }
    let rendered = with(default).run("render").code(0).says("from_env: CI_STAGE");
    rendered.says("default: (hidden)").never_says("dev");
}

#[test]
fn pairs_that_are_joined_with_commas_get_a_warning() {
    for flags in ["--environment AB=1,BC=2", "--environment 'Variables={AB=1,BC=2}'"] {
        let outcome = with("").run(&format!("check {flags}")).code(0).says("warning: environment:").says("`BC`");
        outcome.says("BC=…`");
    }
    with("").with("INPUT_ENVIRONMENT", "AB=1,BC=2").run("check").code(0).says("`BC` in it (INPUT_ENVIRONMENT)");
    let shell = with("").with("LAMBDA_ENVIRONMENT", "AB=1,BC=2").run("check").code(0);
    shell.says("(LAMBDA_ENVIRONMENT)").says("write one pair a line, or a JSON object");
    for more in ["environment: AB=1,BC=2\n", "environment: ['AB=1,BC=2']\n", "environment: |\n  AB=1,BC=2\n"] {
        check(more).code(0).says("`AB` gets one value").says("(dpl.yml:").says("{BC: …}");
    }
    for flags in ["--function_tags team=a,env=b", "--tags TEAM=a,ENV=b"] {
        with("").run(&format!("check {flags}")).code(3).says("gets one value").says("a flag of its own");
    }
    for value in ["URL=postgres://h/db?a=1,b=2", "RUST_LOG=info,hyper=warn", "HOSTS=a,b", "OPTS=-Da=1,B=2"] {
        with("").run(&format!("check --environment {value}")).code(0).never_says("warning");
    }
    check("environment: {AB: '1,BC=2'}\n").code(0).never_says("warning");
    let secret = with("").run("check --environment TOKEN=hunter2hunter2,BC=hunter3hunter3").code(0);
    secret.says("`BC`").never_says("hunter");
}

#[test]
fn a_key_with_two_values_is_refused() {
    for (arguments, said) in [
        ("--environment AB=1 --environment AB=2", "environment: `AB` is given twice, with two values (--environment)"),
        ("--tags a=1 --function_tags a=2", "function_tags: `a` is given twice"),
        ("--layer name=a --layer name=b --layer zip=src", "layer: `name` is given twice"),
        ("--config a.yml --config b.yml", "--config: is given twice, as `a.yml` and as `b.yml`"),
        ("--region us-east-1 --region us-east-2", "is given twice, as `us-east-1` and as `us-east-2`"),
    ] {
        with("").run(&format!("check {arguments}")).code(3).says(said);
    }
    for more in ["environment: ['AB=1', 'AB=2']\n", "environment: |\n  AB=1\n  AB=2\n"] {
        check(more).code(3).says("`AB` is given twice").says("(dpl.yml:");
    }
    check("tags: {a: 1}\nfunction_tags: {b: 1}\n").code(3).says("`function_tags` is given twice");
    check("memory-size: 128\nmemory_size: 256\n").code(3).says("`memory_size` is given twice");
    with("").run("check --environment AB=1 --environment AB=1").code(0);
    check("environment: [{AB: 1, BC: 2}, {AB: 3}]\n").code(0);
    let inputs = with("").with("INPUT_TAGS", "a=1").with("INPUT_FUNCTION-TAGS", "a=2");
    inputs.run("check").code(3).says("INPUT_TAGS").says("INPUT_FUNCTION-TAGS").says("have different values");
}

#[test]
fn tags_that_aws_refuses_are_refused_first() {
    let many: Vec<_> = (0..51).map(|number| format!("t{number}: x")).collect();
    for (tags, said) in [
        ("{'aws:x': y}", "which AWS reserves"),
        ("{'AWS:x': y}", "which AWS reserves"),
        ("{stage: 'prd-1,stg-1'}", "has a character that AWS refuses"),
        ("{'a b*': x}", "has a character that AWS refuses"),
        ("{'': x}", "is not a key"),
        (&format!("{{{}: x}}", "k".repeat(129)), "is too long"),
        (&format!("{{k: {}}}", "v".repeat(257)), "is too long"),
        ("{a: {b: c}}", "must have a text"),
        (&format!("{{{}}}", many.join(", ")), "has 51 tags"),
    ] {
        check(&format!("function_tags: {tags}\n")).code(3).says(said).says("dpl.yml:6:");
    }
    check("function_tags: {Straße: 'a/b:c=d+e-f@g', empty: ''}\n").code(0);
}

#[test]
fn names_numbers_and_lists_say_what_is_meant() {
    for (arguments, said) in [
        ("--function_name fn:PROD", "write `function_name: fn` and `alias: PROD`"),
        (
            "--function_name arn:aws:lambda:eu-west-1:123456789012:function:f:live",
            "write `function_name: arn:aws:lambda:eu-west-1:123456789012:function:f` and `alias: live`",
        ),
        ("--function_name 123456789012:function:f:live", "write `function_name: 123456789012:function:f` and"),
        ("--function_name fn:7", "`fn:7` has a version at its end; write `function_name: fn`"),
        ("--function_name 'fn:$LATEST'", "has a version at its end; write `function_name: fn`"),
        ("--function_name a:b:c", "is neither a function's name nor its ARN"),
        ("--memory_size 1GB", "got `1GB`; write `1024`"),
        ("--memory_size '2 GiB'", "write `2048`"),
        ("--memory_size 512MiB", "write `512`"),
        ("--ephemeral_storage 1G", "write `1024`"),
        ("--timeout 5m", "write `300`"),
        ("--timeout '2 minutes'", "write `120`"),
        ("--timeout 30sec", "write `30`"),
        ("--runtime node20", "did you mean `nodejs20.x`?"),
        ("--runtime python3.12.1", "did you mean `python3.12`?"),
        ("--runtime java", "it has no version; one looks like `java21`"),
        ("--runtime go1.22", "did you mean `provided.al2023`?"),
        ("--runtime al2023", "did you mean `provided.al2023`?"),
    ] {
        with("").run(&format!("check {arguments}")).code(3).says(said);
    }
    with("").run("check --memory_size 128MB --timeout 30s").code(0);
    with("").run("render --layers '[]'").code(0).says("layers: []");
    with("").run("check --layers '[\"deps\", \"more\"]'").code(0);
    with("").run("check --exclude '[\"*.md\"]' --exclude '*.txt'").code(0);
}

#[test]
fn two_active_blocks_for_one_function_are_refused() {
    let file = |first: &str, second: &str| {
        let block = "runtime: python3.12, handler: index.handler, role: r, region: us-east-1";
        let text = format!("deploy:\n  - {{{block}, {first}}}\n  - {{{block}, {second}}}\n");
        let universe = Universe::empty().file("src/index.py", "def handler(e, c): return 1\n").file("dpl.yml", text);
        universe.with("DRONE", "true").with("DRONE_BRANCH", "main")
    };
    let one = "function_name: demo, zip: src";
    let refused = "the block at dpl.yml:2:5 is for `demo` too (dpl.yml:3:5)";
    for (first, second) in [
        (one, "function_name: demo, zip: src, memory_size: 256"),
        (one, "function_name: 'arn:aws:lambda:us-east-1:123456789012:function:demo', zip: src"),
        ("function_name: demo, zip: src, on: {branch: main}", one),
        ("function_name: {main: demo}, zip: src", "function_name: {main: demo, dev: other}, zip: src"),
        ("function_name: demo, only: code, zip: src", one),
    ] {
        for verb in ["", "plan"] {
            file(first, second).run(verb).code(3).says(refused).says("`only: code`");
        }
    }
    file(one, one).run("check").code(3).says(refused);
    file("function_name: demo, zip: src, on: {branch: main}", one).run("check").code(0).says("warning").says(refused);
    for (first, second) in [
        ("function_name: demo, zip: src, on: {branch: main}", "function_name: demo, zip: src, on: {branch: dev}"),
        ("function_name: demo, zip: src, on: {branch: 'm*'}", "function_name: demo, zip: src, on: {branch: dev}"),
        ("function_name: demo, zip: src, on: {branch: main}", "function_name: demo, zip: src, on: {tags: true}"),
        (
            "function_name: demo, zip: src, on: {condition: '$STAGE = a', all_branches: true}",
            "function_name: demo, zip: src, on: {condition: '$STAGE = b', all_branches: true}",
        ),
        (one, "function_name: other, zip: src"),
        (one, "function_name: 'arn:aws:lambda:us-east-2:123456789012:function:demo', region: us-east-2, zip: src"),
        ("function_name: demo, zip: src, profile: a", "function_name: demo, zip: src, profile: b"),
        ("function_name: demo, only: code, zip: src", "function_name: demo, only: settings, memory_size: 256"),
    ] {
        let (first, second) = (first, second.replace("region: us-east-2, ", ""));
        let universe = file(first, &second);
        let text = universe.read("dpl.yml");
        let text = if second.contains("us-east-2") {
            text.replacen("region: us-east-1, function_name: 'arn", "function_name: 'arn", 1)
        } else {
            text
        };
        universe.write("dpl.yml", text);
        for arguments in ["check --trust_config", "plan --trust_config"] {
            universe.run(arguments).never_says("is for `demo` too");
        }
    }
}

#[test]
fn what_a_merge_key_drops_is_named() {
    let file = |block: &str| {
        let shared = ".shared: &shared\n  role: r\n  runtime: python3.12\n  handler: index.handler\n  zip: src\n  environment: &variables\n    LOG: info\n    STAGE: prod\n  function_tags: {team: media}\n";
        let text = format!("{shared}deploy:\n  - <<: *shared\n    function_name: demo\n{block}");
        Universe::empty()
            .file("src/index.py", "def handler(e, c): return 1\n")
            .file("dpl.yml", text)
            .run("check")
            .code(0)
    };
    let dropped = file("    environment: {LOG: debug, OWN: 1}\n");
    dropped.says(
        "warning: environment: replaces the whole `environment` that `<<` brings, without its `STAGE` (dpl.yml:13:5)",
    );
    file("    function_tags: {other: x}\n").says("without its `team` (dpl.yml:13:5)");
    for whole in [
        "",
        "    environment: {<<: *variables, OWN: 1}\n",
        "    environment: {LOG: debug, STAGE: dev}\n",
        "    environment:\n      <<: *variables\n      LOG: debug\n",
    ] {
        file(whole).never_says("`<<`");
    }
}

#[test]
fn a_region_or_account_that_cannot_be_is_named() {
    for (more, said) in [
        ("dead_letter_arn: arn:aws:sqs:euwest1:123456789012:q\n", "names the Region `euwest1`"),
        ("dead_letter_arn: arn:aws:sqs:EU-WEST-1:123456789012:q\n", "names the Region `EU-WEST-1`"),
        ("dead_letter_arn: arn:aws:sqs:eu-west-1:12345678901a:q\n", "an account with letters"),
        ("layers: arn:aws:lambda:eu-west-1:12345:layer:l:1\n", "of 5 digits"),
        ("region: EU-WEST-1\n", "did you mean `eu-west-1`?"),
        ("region: eu-west-1a\n", "did you mean `eu-west-1`?"),
    ] {
        check(more).code(3).says(said).says("(dpl.yml:6:");
    }
}

#[test]
fn all_that_an_image_cannot_have_is_reported_at_once() {
    let image = "image_uri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v3\nlayers: [deps]\nsymlinks: keep\n";
    let outcome = check(image).code(3);
    let outcome =
        outcome.says("runtime: is for a package").says("handler: is for a package").says("zip: is for a package");
    outcome.says("layers: is for a package").says("symlinks: is for a package");
}

#[test]
fn more_tags_than_a_function_can_have_are_refused_before_they_are_added() {
    let tags = |names: std::ops::Range<usize>| {
        let tags: Vec<_> = names.map(|number| format!("t{number}: x")).collect();
        format!(
            "deploy:\n  function_name: many-tags\n  role: arn:aws:iam::000000000000:role/deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: src\n  function_tags: {{{}}}\n",
            tags.join(", ")
        )
    };
    let universe =
        Universe::at(&emulator(Kind::Ministack).endpoint).file("src/index.py", "def handler(e, c): return 1\n");
    universe.write("dpl.yml", tags(0..30));
    universe.run("").code(0);
    universe.write("dpl.yml", tags(29..51));
    universe.run("plan").code(3).says("the function would have 51 tags").says("dpl.yml:7:");
    universe.run("plan --function_tags_mode replace").code(0);
}

#[test]
fn advice_that_many_lines_share_is_printed_once() {
    let block = |name: &str| format!("  - {{function_name: {name}, zip: /etc/{name}, timeout: 9}}\n");
    let blocks: String = ["a", "b", "c"].map(block).concat();
    let outcome = Universe::empty().file("dpl.yml", format!("deploy:\n{blocks}")).run("check").code(3);
    let stderr = &outcome.stderr;
    assert_eq!((stderr.matches("lies outside").count(), stderr.matches("help:").count()), (3, 1), "{stderr}");
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines.last().is_some_and(|line| line.starts_with("    help: ")), "{stderr}");
}

/// The errors of `check` about a file: the lines with a place.
fn errors(text: &str) -> (Outcome, usize) {
    let universe = Universe::empty().file("src/index.py", "def handler(e, c): return 1\n").file("dpl.yml", text);
    let outcome = universe.run("check").code(3);
    let count = outcome.stderr.lines().filter(|line| line.contains("(dpl.yml:")).count();
    (outcome, count)
}

const LINE: &str = "role: r, runtime: python3.12, handler: index.handler, zip: src, region: eu-west-1";

#[test]
fn each_mistake_is_one_error() {
    let arn = "arn:aws:s3:::x";
    let layer = "arn:aws:lambda:eu-west-1:123456789012:layer:x";
    for (block, count, said) in [
        (
            "for_each: {c: 3, d: [1]}, function_name: 'x-%{each}'".to_owned(),
            2,
            "for_each: `d` must be a map of options",
        ),
        ("for_each: {from_env: X}, function_name: 'x-%{each}'".to_owned(), 1, "takes no value of a variable"),
        ("for_each: {from_ssm: /x, default: a}, function_name: 'x-%{each}'".to_owned(), 1, "or from elsewhere"),
        ("for_each: [a, {from_env: X}], function_name: 'x-%{each}'".to_owned(), 1, "takes no value of a variable"),
        ("for_each: [a, b, a, a], function_name: 'x-%{each}'".to_owned(), 2, "has `a` twice"),
        ("after: 'x-%{each}', function_name: x".to_owned(), 1, "`%{each}` has a value only in"),
        ("after: 'x-%%{each}', function_name: x".to_owned(), 1, "no block is for"),
        (
            "function_name: x, environment: {V: {from_function: y, from_env: Y, output: version}}".to_owned(),
            1,
            "two sources",
        ),
        ("function_name: x, description: {from_ssm: /y, from_env: Y}".to_owned(), 1, "`from_ssm` and `from_env`"),
        (
            "function_name: x, vpc_config: {subnet_ids: [{from_ssm: /y, from_stack: Y, output: z}]}".to_owned(),
            1,
            "two sources",
        ),
        (
            format!("function_name: x, description: {{from_function: '{arn}', output: version}}"),
            1,
            "not the ARN of a function",
        ),
        (
            format!("function_name: x, description: {{from_function: '{layer}', output: version}}"),
            1,
            "not the ARN of a function",
        ),
    ] {
        let (outcome, found) = errors(&format!("deploy: [{{{block}, {LINE}}}]"));
        assert_eq!(found, count, "{block}: {}", outcome.stderr);
        outcome.says(said);
    }
    let named =
        format!("deploy: [{{for_each: {{from_env: {{memory_size: 256}}, b: }}, function_name: '%{{each}}', {LINE}}}]");
    Universe::empty().file("src/index.py", "").file("dpl.yml", named).run("check").code(0);
}

#[test]
fn each_item_that_is_no_block_is_reported() {
    let (outcome, found) = errors("deploy: [null, 3, x, [y], {function_name: f, provider: s3}]");
    assert_eq!(found, 4, "{}", outcome.stderr);
}

#[test]
fn a_long_value_is_shortened_in_an_error() {
    for option in ["function_name", "memory_size", "tracing_mode", "architecture"] {
        let (outcome, _) = errors(&format!("deploy: [{{{option}: {}, zip: src}}]", "z".repeat(5000)));
        outcome.says(&format!("`{}…`", "z".repeat(60))).never_says(&"z".repeat(61));
    }
}

#[test]
fn an_option_without_its_value_is_named() {
    for (arguments, option) in [
        ("deploy --log --endpoint_url http://localhost", "--log"),
        ("deploy --role --runtime=python3.13", "--role"),
        ("--environment --dry-run", "--environment"),
        ("check --memory_size", "--memory_size"),
        ("invoke --payload --qualifier live", "--payload"),
        ("policy --for --like x", "--for"),
    ] {
        with("").run(arguments).code(3).says(&format!("{option}: needs a value")).never_says("neither a verb");
    }
    with("").run("check --description=--role --version_description --x").code(0);
    with("").run("deploy --help --role").code(0);
}

#[test]
fn defaults_that_a_layer_cannot_have_are_for_the_functions() {
    let defaults = "role: 'arn:aws:iam::123456789012:role/r', runtime: python3.13, handler: index.handler, alias: live, \
                    environment: {AB: '%{function_name}'}, zip: src, region: eu-west-1";
    let text = format!(
        "defaults: {{{defaults}}}\nstages: {{dev: {{timeout: 9}}}}\ndeploy:\n- layer: deps\n- function_name: f\n\
         - {{for_each: [a], layer: 'l-%{{each}}'}}\n"
    );
    let universe = Universe::empty().file("src/index.py", "def handler(e, c): return 1\n").file("dpl.yml", &text);
    universe.run("check --stage dev").code(0);
    let rendered = universe.run("render --stage dev").code(0).stdout;
    for option in ["role:", "timeout:", "alias:"] {
        assert_eq!(rendered.matches(&format!("{option} ")).count(), 1, "{option}\n{rendered}");
    }
    universe.write("dpl.yml", format!("defaults: {{{defaults}}}\ndeploy: {{layer: deps}}\n"));
    universe.run("check").code(0);
    // With a name, the block has a function.
    universe.run("render --function_name f").code(0).says("role: ");
    for own in ["role: r", "snap_start: PublishedVersions", "timeout: 3"] {
        let text = format!("defaults: {{{defaults}}}\ndeploy:\n- layer: deps\n  {own}\n");
        let (outcome, found) = errors(&text);
        assert_eq!(found, 1, "{}", outcome.stderr);
        outcome.says("is for a function").says("(dpl.yml:4:");
    }
}
