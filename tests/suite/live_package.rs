//! The plan of a code change names the files that differ from the live package.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, boto, emulator, on_both};

/// How a bucket answers a request for the end of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With the part, as S3 does.
    Ranges,
    /// With the whole, as a plain server does.
    NoRanges,
    /// The address has expired.
    Expired,
    /// It refuses every range.
    Unsatisfiable,
    /// With something that is no archive.
    Page,
    /// With the beginning, and then it closes the connection.
    Cut,
    /// Never.
    Silent,
}

/// A bucket with one object.
pub(crate) struct Bucket {
    pub(crate) url: String,
    pub(crate) size: usize,
    /// The number of requests.
    pub(crate) requests: Arc<Mutex<usize>>,
    /// The ranges that were asked for.
    ranges: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    pub(crate) fn with(object: Vec<u8>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/package?X-Amz-Signature=0123456789abcdef", listener.local_addr().unwrap());
        let bucket = Self { url, size: object.len(), requests: Arc::default(), ranges: Arc::default() };
        let requests = Arc::clone(&bucket.requests);
        let ranges = Arc::clone(&bucket.ranges);
        thread::spawn(move || {
            let mut kept = Vec::new();
            for mut stream in listener.incoming().flatten() {
                *requests.lock().unwrap() += 1;
                let mut head =
                    BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                let range = head.find_map(|line| line.strip_prefix("range: ").map(str::to_owned));
                ranges.lock().unwrap().extend(range.clone());
                let last = range.and_then(|range| range.strip_prefix("bytes=-")?.parse::<usize>().ok());
                let from = object.len().saturating_sub(last.unwrap_or(usize::MAX));
                let (status, header, body) = match manner {
                    Manner::Ranges => {
                        let header = format!("Content-Range: bytes {from}-{}/{}\r\n", object.len() - 1, object.len());
                        ("206 Partial Content", header, &object[from..])
                    }
                    Manner::NoRanges => ("200 OK", String::new(), &object[..]),
                    Manner::Expired => ("403 Forbidden", String::new(), &b"<Error>Request has expired</Error>"[..]),
                    Manner::Unsatisfiable => ("416 Range Not Satisfiable", String::new(), &b""[..]),
                    Manner::Cut => ("200 OK", String::new(), &object[..object.len() / 2]),
                    Manner::Page => ("200 OK", String::new(), &b"<html>Please log in</html>"[..]),
                    Manner::Silent => {
                        kept.push(stream);
                        continue;
                    }
                };
                let length = if manner == Manner::Cut { object.len() } else { body.len() };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all(body);
            }
        });
        bucket
    }
}

/// Bytes that no compressor makes smaller.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Lets AWS answer that the live package of a function is in this bucket.
fn keep_in(bucket: &Bucket, function: &str, proxy: &Proxy, real: &str) {
    proxy.clear();
    proxy.on("GetFunction", 0, answer_with(bucket, function, real));
}

fn answer_with(bucket: &Bucket, function: &str, real: &str) -> Fault {
    let mut answer = Aws::of(real).get(function);
    answer["Code"]["Location"] = json!(bucket.url);
    answer["Configuration"]["CodeSize"] = json!(bucket.size);
    Fault::Instead(200, answer.to_string())
}

fn block(kind: Kind, function: &str) -> String {
    let account = kind.account();
    format!(
        "function_name: {function}\nrole: arn:aws:iam::{account}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n"
    )
}

/// A function that is deployed, and whose files then change.
fn changed(function: &str, endpoint: &str) -> Universe {
    let universe = Universe::at(endpoint)
        .file("dpl.yml", block(Kind::Ministack, function))
        .file("dist/index.py", "def handler(event, context):\n    return 1\n")
        .file("dist/old.py", "old = 1\n");
    universe.run("").code(0);
    universe.write("dist/index.py", "def handler(event, context):\n    return 12\n");
    universe.write("dist/lib/new.py", "new = 1\n");
    std::fs::remove_file(universe.path("dist/old.py")).unwrap();
    universe
}

/// The files of the first step of the plan.
fn files(universe: &Universe) -> Value {
    universe.run("plan --format json").code(0).json()["functions"][0]["plan"][0]["files"].clone()
}

fn file(name: &str, from: impl Into<Value>, to: impl Into<Value>) -> Value {
    json!({ "name": name, "from": from.into(), "to": to.into(), "unit": "bytes" })
}

#[test]
fn a_plan_names_the_files_that_change() {
    let universe = changed("files-named", &emulator(Kind::Ministack).endpoint);
    let plan = universe.run("plan").code(0);
    let shown: Vec<_> = plan.stdout.lines().skip_while(|line| !line.contains("~ code")).skip(1).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    files    1 added, 1 changed, 1 removed
      ~ index.py    42 bytes → 43 bytes
      + lib/new.py  8 bytes
      - old.py      8 bytes
    ");
    let first = [file("index.py", 42, 43), file("lib/new.py", (), 8), file("old.py", 8, ())];
    assert_eq!(files(&universe), json!({ "added": 1, "changed": 1, "removed": 1, "first": first }));
    let universe = universe.with("CI", "true").with("GITHUB_ACTIONS", "true").with("GITHUB_STEP_SUMMARY", "summary.md");
    universe.write("summary.md", "");
    universe.run("").code(0);
    let summary = std::fs::read_to_string(universe.path("summary.md")).unwrap();
    let row = |name: &str| summary.lines().find(|line| line.contains(name)).map(str::to_owned);
    assert_eq!(row("index.py").as_deref(), Some("| index.py | 42 bytes | 43 bytes |"), "{summary}");
    assert_eq!(row("old.py").as_deref(), Some("| old.py | 8 bytes | removed |"), "{summary}");
    assert_eq!(row("| files ").as_deref(), Some("| files | – | 1 added, 1 changed, 1 removed |"), "{summary}");
    universe.run("").code(0).says("unchanged");
}

#[test]
fn a_mode_is_a_change_and_only_the_first_files_are_shown() {
    let universe = changed("files-many", &emulator(Kind::Ministack).endpoint);
    universe.run("").code(0);
    universe.write("dist/index.py!", "def handler(event, context):\n    return 12\n");
    for number in 0..40 {
        universe.write(&format!("dist/many/f{number:02}.py"), "x = 1\n");
    }
    let plan = universe.run("plan").code(0).says("40 added, 1 changed").says("31 more files").says("another mode");
    assert_eq!(plan.stdout.matches("many/f").count(), 9, "{}", plan.stdout);
    assert_eq!(files(&universe)["first"].as_array().unwrap().len(), 10);
}

#[test]
fn a_ready_archive_that_differs_in_times_alone_is_known() {
    const ZIP: &str = "import zipfile, sys
with zipfile.ZipFile('f.zip', 'w') as f:
    f.writestr(zipfile.ZipInfo('index.py', (int(sys.argv[1]), 1, 1, 0, 0, 0)), 'def handler(e, c): return 1')";
    let universe = Universe::at(&emulator(Kind::Ministack).endpoint)
        .file("dpl.yml", block(Kind::Ministack, "files-times").replace("dist", "f.zip"))
        .file("zip.py", ZIP);
    universe.shell("python3 zip.py 2001 && $TOOL").code(0);
    universe.shell("python3 zip.py 2002 && $TOOL plan").code(0).says("all the same: only times, order or packing");
}

#[test]
fn files_are_read_as_s3_hands_them_out_or_are_unknown() {
    let real = &emulator(Kind::Ministack).endpoint;
    for (number, (manner, known)) in [
        (Manner::Ranges, true),
        (Manner::NoRanges, true),
        (Manner::Expired, false),
        (Manner::Unsatisfiable, false),
        (Manner::Page, false),
        (Manner::Silent, false),
    ]
    .into_iter()
    .enumerate()
    {
        let proxy = Proxy::before(real);
        let function = format!("files-manner-{number}");
        let universe = changed(&function, &proxy.endpoint);
        universe.write("old/index.py", "def handler(event, context):\n    return 1\n");
        universe.write("old/old.py", "old = 1\n");
        universe.run("package --output live.zip --zip old").code(0);
        let bucket = Bucket::with(std::fs::read(universe.path("live.zip")).unwrap(), manner);
        keep_in(&bucket, &function, &proxy, real);
        let plan = universe.run("plan --verbose").code(0).says("~ code");
        assert!(!plan.stdout.contains("X-Amz") && !plan.stderr.contains("X-Amz"), "{}{}", plan.stdout, plan.stderr);
        assert_eq!(plan.stdout.contains("1 added, 1 changed, 1 removed"), known, "{number}: {}", plan.stdout);
        assert_eq!(bucket.ranges.lock().unwrap().len(), 1);
    }
}

#[test]
fn a_large_directory_takes_a_second_request() {
    let real = &emulator(Kind::Ministack).endpoint;
    let proxy = Proxy::before(real);
    let universe = changed("files-large", &proxy.endpoint);
    for number in 0..1500 {
        universe.write(&format!("dist/a/name/that/makes/the/directory/of/the/archive/long/f{number}.py"), "");
    }
    universe.run("package --output live.zip").code(0);
    universe.write("dist/index.py", "def handler(event, context):\n    return 123\n");
    let bucket = Bucket::with(std::fs::read(universe.path("live.zip")).unwrap(), Manner::Ranges);
    keep_in(&bucket, "files-large", &proxy, real);
    assert_eq!(
        files(&universe),
        json!({ "added": 0, "changed": 1, "removed": 0, "first": [file("index.py", 43, 44)] })
    );
    assert_eq!(bucket.ranges.lock().unwrap().len(), 2);
}

#[test]
fn an_emulator_never_leads_to_a_bucket_of_aws() {
    let real = &emulator(Kind::Ministack).endpoint;
    let proxy = Proxy::before(real);
    let universe = changed("files-emulated", &proxy.endpoint);
    // Whatever leaves this machine goes through a proxy, which counts.
    let way_out = Bucket::with(Vec::new(), Manner::Expired);
    let universe = universe.with("HTTP_PROXY", way_out.url.split("/package").next().unwrap());
    for (location, requests) in [("http://bucket.example.org/package", 0), (&*way_out.url, 1)] {
        let mut answer = Aws::of(real).get("files-emulated");
        answer["Code"]["Location"] = json!(location);
        proxy.clear();
        proxy.on("GetFunction", 0, Fault::Instead(200, answer.to_string()));
        universe.run("plan").code(0).says("~ code").never_says("1 changed");
        assert_eq!(way_out.ranges.lock().unwrap().len(), requests, "{location}");
    }
}

#[test]
fn where_the_bucket_is_out_of_reach_the_deployment_goes_on() {
    on_both(|kind| {
        let universe = Universe::at(&emulator(kind).endpoint)
            .file("dpl.yml", block(kind, "files-out-of-reach"))
            .file("dist/index.py", "def handler(event, context):\n    return 1\n");
        universe.run("").code(0);
        universe.write("dist/index.py", "def handler(event, context):\n    return 2\n");
        universe.run("").code(0).says("Updating code.");
        universe.run("").code(0).says("unchanged");
    });
}

/// What a run with `--verbose` says if it compared the files with the live package and packed none.
const NOT_PACKED: &str = "so they are not packed";

/// A deployed function whose files are too large to be packed in vain.
struct Large {
    universe: Universe,
    proxy: Proxy,
    function: String,
}

impl Large {
    fn deployed(function: &str) -> Self {
        let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
        let universe = Universe::at(&proxy.endpoint)
            .file("dpl.yml", block(Kind::Ministack, function))
            .file("dist/index.py", "def handler(event, context):\n    return 1\n")
            .file("dist/lib/data.txt", "abcdefgh".repeat(700_000))
            .file("dist/noise", noise(100_000))
            .file("dist/run.sh", "echo hello\n")
            .file("dist/six-1.dist-info/RECORD", "six.py,,\nindex.py,,\n")
            .link("dist/lib/link.py", "../index.py");
        universe.run("").code(0);
        universe.run("package --output live.zip").code(0);
        Self { universe, proxy, function: function.to_owned() }
    }

    /// Lets AWS hand out `archive` as the live package.
    fn live(&self, archive: &str) -> Bucket {
        let bucket = Bucket::with(self.universe.bytes(archive), Manner::Ranges);
        self.is_in(&bucket);
        bucket
    }

    fn is_in(&self, bucket: &Bucket) {
        keep_in(bucket, &self.function, &self.proxy, &emulator(Kind::Ministack).endpoint);
    }
}

#[test]
fn an_unchanged_large_tree_is_not_packed() {
    let large = Large::deployed("live-same");
    let bucket = large.live("live.zip");
    let plan = large.universe.run("plan --verbose --format json").code(0).says(NOT_PACKED).json();
    assert_eq!(plan["functions"][0]["changed"], false, "{plan}");
    large.universe.run("--verbose").code(0).says(NOT_PACKED).says("unchanged");
    assert_eq!(bucket.ranges.lock().unwrap().len(), 2, "one request a run");
    let hash = Aws::of(&large.proxy.endpoint).get("live-same")["Configuration"]["CodeSha256"].clone();
    let deployed = large.universe.run("--format json").code(0).json();
    assert_eq!(deployed["functions"][0]["code_sha256"], hash, "{deployed}");
    assert_eq!(deployed["functions"][0]["package_size"], bucket.size, "{deployed}");
    // New times make no difference.
    large.universe.shell("find dist -exec touch -h -d 2001-01-01 {} +").code(0);
    large.universe.run("--verbose").code(0).says(NOT_PACKED).says("unchanged");
}

#[test]
fn whatever_differs_in_a_large_tree_is_a_change() {
    let large = Large::deployed("live-differs");
    let _bucket = large.live("live.zip");
    let changes = [
        "printf 2 | dd of=dist/index.py bs=1 seek=40 conv=notrunc status=none",
        "printf X | dd of=dist/lib/data.txt bs=1 seek=5000000 conv=notrunc status=none",
        "echo >> dist/index.py",
        "echo new > dist/new.py",
        "rm dist/run.sh",
        "mv dist/run.sh dist/run2.sh",
        "chmod +x dist/run.sh",
        "printf '#!/b hell\\n' > dist/run.sh",
        "rm dist/lib/link.py && cp dist/index.py dist/lib/link.py",
        "ln -sfn ../run.sh.py dist/lib/link.py && cp dist/run.sh dist/run.sh.py",
        "ln -sfn ../index.pi dist/lib/link.py && mv dist/index.py dist/index.pi",
        "printf 'six.py,,\\nrun.sh,,,,\\n' > dist/six-1.dist-info/RECORD",
    ];
    for change in changes {
        large.universe.shell(&format!("cp -a dist kept && {change}")).code(0);
        let plan = large.universe.run("plan --verbose").never_says(NOT_PACKED).never_says("unchanged");
        // A handler that was renamed is refused.
        assert!(plan.code == 0 || change.contains("index.pi"), "{change}: {}", plan.all());
        large.universe.shell("rm -r dist && mv kept dist").code(0);
    }
    large.universe.run("plan --verbose").code(0).says(NOT_PACKED).says("unchanged");
}

#[test]
fn a_comment_is_not_believed_if_the_archive_differs() {
    const FORGE: &str = "
import sys, zipfile
how, source = sys.argv[1], zipfile.ZipFile('live.zip')
with zipfile.ZipFile('forged.zip', 'w', zipfile.ZIP_DEFLATED) as to:
    for info in source.infolist():
        content = source.read(info)
        if info.filename == 'run.sh':
            if how == 'content': content = content.replace(b'hello', b'pwned')
            if how == 'mode': info.external_attr |= 0o111 << 16
            if how == 'name': info.filename = 'run.sx'
            if how == 'without': continue
        to.writestr(info, content)
    if how == 'folder': to.writestr('empty/', b'')
    if how == 'file': to.writestr('zzz.py', b'')
    to.comment = source.comment
    if how == 'digest': to.comment = source.comment.replace(source.comment[-1:], b'0' if source.comment[-1:] != b'0' else b'1')
    if how == 'packer': to.comment = source.comment.replace(b' 1 ', b' 0 ')
    if how == 'none': to.comment = b''
    if how == 'more': to.comment = source.comment + b' '
";
    let large = Large::deployed("live-forged");
    large.universe.write("forge.py", FORGE);
    for how in ["content", "mode", "name", "without", "folder", "file", "digest", "packer", "none", "more"] {
        large.universe.shell(&format!("python3 forge.py {how}")).code(0);
        let bucket = large.live("forged.zip");
        large.universe.run("plan --verbose").code(0).never_says(NOT_PACKED);
        assert!(!bucket.ranges.lock().unwrap().is_empty(), "{how}");
    }
    // The function has other code than its address: of another size.
    large.universe.shell("echo 1 >> dist/index.py").code(0);
    large.universe.run("package --output other.zip").code(0);
    let bucket = Bucket { size: 10, ..Bucket::with(large.universe.bytes("other.zip"), Manner::Ranges) };
    large.is_in(&bucket);
    large.universe.run("plan --verbose").code(0).never_says(NOT_PACKED).says("~ code");
}

#[test]
fn a_large_tree_is_packed_where_the_live_package_is_out_of_reach() {
    let large = Large::deployed("live-out-of-reach");
    for manner in [Manner::NoRanges, Manner::Expired, Manner::Unsatisfiable, Manner::Page, Manner::Silent] {
        let bucket = Bucket::with(large.universe.bytes("live.zip"), manner);
        large.is_in(&bucket);
        large.universe.run("--verbose").code(0).says("unchanged").never_says(NOT_PACKED);
    }
}

#[test]
fn bytes_that_are_needed_after_all_are_packed() {
    let large = Large::deployed("live-needed");
    let bucket = large.live("live.zip");
    // The same files for another architecture, and for a function that does not exist yet.
    let plan = large.universe.run("plan --verbose --architecture arm64").code(0);
    plan.says(NOT_PACKED).says("x86_64 → arm64");
    let first = block(Kind::Ministack, "live-needed").replace('\n', "\n    ");
    let second = block(Kind::Ministack, "live-needed-too").replace('\n', "\n    ");
    large.universe.write("dpl.yml", format!("deploy:\n  - {}\n  - {}\n", first.trim_end(), second.trim_end()));
    large.proxy.clear();
    large.proxy.forget_calls();
    let answer = answer_with(&bucket, "live-needed", &emulator(Kind::Ministack).endpoint);
    large.proxy.on("GetFunction", 1, answer);
    large.universe.run("--verbose --parallel 1").code(0).says(NOT_PACKED).says("unchanged");
    let hash = |function| {
        let get = Aws::of(&emulator(Kind::Ministack).endpoint).get(function);
        get["Configuration"]["CodeSha256"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("live-needed"), hash("live-needed-too"));
    large.proxy.clear();
    large.universe.write("dpl.yml", block(Kind::Ministack, "live-needed"));
    large.universe.run("--architecture arm64").code(0).says("Updating code");
}

#[test]
fn an_unchanged_large_layer_is_not_packed() {
    // Packs the same files as another tool would.
    const OTHER: &str = "python3 -c \"import zipfile
with zipfile.ZipFile('live.zip') as live, zipfile.ZipFile('other.zip', 'w') as other:
    for info in live.infolist(): other.writestr(info, live.read(info))\"";
    let real = &emulator(Kind::Ministack).endpoint;
    let proxy = Proxy::before(real);
    let universe = Universe::at(&proxy.endpoint)
        .file("dpl.yml", "layer: live-layer\n")
        .file("layer/python/data.txt", "abcdefgh".repeat(700_000));
    universe.run("").code(0);
    universe.run("package --output live.zip").code(0);
    let bucket = Bucket::with(universe.bytes("live.zip"), Manner::Ranges);
    let arguments = json!({ "LayerName": "live-layer", "VersionNumber": 1 });
    let mut answer = boto(real, "lambda", "get_layer_version", &arguments);
    answer.as_object_mut().unwrap().remove("ResponseMetadata");
    answer["Content"]["Location"] = json!(bucket.url);
    proxy.on("GetLayerVersion", 0, Fault::Instead(200, answer.to_string()));
    universe.run("--verbose").code(0).says(NOT_PACKED).says("unchanged");
    universe.write("dpl.yml", "layer: {name: live-layer, zip: layer, compatible_runtimes: [python3.12]}\n");
    universe.run("--verbose").code(0).says(NOT_PACKED).says("compatible_runtimes");
    universe.shell(OTHER).code(0);
    universe.write("dpl.yml", "layer: {name: live-layer, zip: other.zip}\n");
    universe.run("plan").code(0).says("`repack: true`").says("all the same");
}
