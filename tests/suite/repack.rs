//! A ready archive is packed again, so that the same files always give the same package.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Kind, Universe, boto, emulator};

/// Makes `f.zip` with the year, the order, the compression and the mode that its arguments say.
const ZIP: &str = "import zipfile, sys
year, order, method, mode, name = sys.argv[1:]
files = {'index.py': b'def handler(e, c): return 1', 'lib/a.txt': b'a' * 5000, 'run.sh': b'#!/bin/sh\\n',
         'lib/': b'', 'in.jar': b'PK', 'x-1.dist-info/RECORD': b'gone.py,,\\nindex.py,,\\n'}
with zipfile.ZipFile(name, 'w') as f:
    for file in sorted(files, reverse=order == 'down'):
        info = zipfile.ZipInfo(file, (int(year), 1, 1, 0, 0, 0))
        info.external_attr = int(mode, 8) << 16
        info.compress_type = zipfile.ZIP_DEFLATED if method == 'deflated' else zipfile.ZIP_STORED
        f.writestr(info, files[file])
";

/// Makes an archive with these files.
const FILES: &str = "import zipfile, sys
with zipfile.ZipFile(sys.argv[1], 'w') as f:
    for file in sys.argv[2:]:
        f.writestr(file, 'x')
";

fn universe() -> Universe {
    Universe::empty().file("zip.py", ZIP).file("files.py", FILES)
}

fn hash(universe: &Universe, arguments: &str) -> String {
    let packaged = universe.run(&format!("package --list --zip f.zip --format json {arguments}")).code(0).json();
    packaged["packages"][0]["code_sha256"].as_str().unwrap_or_else(|| panic!("{packaged}")).to_owned()
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    let universe = universe();
    let (mut kept, mut repacked) = (BTreeSet::new(), BTreeSet::new());
    for how in [
        "2001 up stored 644",
        "2002 up stored 644",
        "2001 down stored 644",
        "2001 up deflated 644",
        "2001 up stored 600",
        "2001 up stored 100664",
    ] {
        universe.shell(&format!("python3 zip.py {how} f.zip")).code(0);
        kept.insert(hash(&universe, ""));
        repacked.insert(hash(&universe, "--repack"));
    }
    assert_eq!((kept.len(), repacked.len()), (6, 1));
    universe.run("package --zip f.zip --repack --output again.zip").code(0);
    let list = "python3 -c \"import zipfile; f = zipfile.ZipFile('again.zip')
for i in f.infolist(): print(i.filename, oct(i.external_attr >> 16), i.date_time[0], len(f.read(i)))\"";
    insta::assert_snapshot!(universe.shell(list).code(0).stdout.trim_end(), @"
    in.jar 0o100644 1980 2
    index.py 0o100644 1980 27
    lib/a.txt 0o100644 1980 5000
    run.sh 0o100755 1980 10
    x-1.dist-info/RECORD 0o100644 1980 21
    ");
    // What was packed again stays the same, and an execute bit is a difference.
    universe.shell("cp again.zip f.zip").code(0);
    assert_eq!(repacked.first(), Some(&hash(&universe, "--repack")));
    universe.shell("python3 zip.py 2001 up stored 755 f.zip").code(0);
    assert_ne!(repacked.first(), Some(&hash(&universe, "--repack")));
}

#[test]
fn an_archive_that_cannot_be_packed_again_is_refused() {
    let universe = universe();
    for (files, refused) in [
        ("index.py META-INF/MANIFEST.MF META-INF/A.SF", true),
        ("index.py meta-inf/a.rsa", true),
        ("index.py META-INF/A.EC", true),
        ("index.py META-INF/aws_signer_signature_v1.0.SF", true),
        ("index.py META-INF/MANIFEST.MF lib/META-INF/A.SF", false),
    ] {
        universe.shell(&format!("python3 files.py f.zip {files}")).code(0);
        universe.run("package --list --zip f.zip").code(0);
        let repacked = universe.run("package --list --zip f.zip --repack");
        assert_eq!(repacked.code, if refused { 3 } else { 0 }, "{files}: {}", repacked.all());
        assert_eq!(repacked.all().contains("is signed by"), refused, "{files}: {}", repacked.all());
    }
    // A damaged entry: its checksum is another.
    universe.shell("python3 files.py f.zip index.py && printf y | dd of=f.zip bs=1 seek=38 conv=notrunc").code(0);
    universe.run("package --list --zip f.zip --repack").code(3).says("`index.py` cannot be unpacked");
    let object = "function_name: f\ns3_bucket: bucket\ns3_key: f.zip\nrepack: true\n";
    universe.file("dpl.yml", object).run("check").code(3).says("repack").says("dpl.yml:4");
}

#[test]
fn a_rebuilt_archive_is_unchanged_with_repack_and_a_note_without() {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let block = |repack| {
        format!(
            "function_name: repacked\nrole: arn:aws:iam::000000000000:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: f.zip\nrepack: {repack}\n"
        )
    };
    let universe = Universe::at(endpoint).file("zip.py", ZIP).file("dpl.yml", block(false));
    universe.shell("python3 zip.py 2001 up stored 644 f.zip && $TOOL").code(0);
    universe
        .shell("python3 zip.py 2002 up stored 644 f.zip && $TOOL plan")
        .code(0)
        .says("~ code")
        .says("`repack: true`");
    universe.write("dpl.yml", block(true));
    universe.run("").code(0).says("~ code").never_says("`repack: true`");
    universe.shell("python3 zip.py 2003 down deflated 600 f.zip && $TOOL").code(0).says("unchanged");
    universe.write("dpl.yml", "layer: {name: repacked-layer, zip: f.zip, repack: yes}\n");
    universe.shell("python3 zip.py 2001 up stored 644 f.zip && $TOOL").code(0);
    universe.shell("python3 zip.py 2003 down deflated 600 f.zip && $TOOL").code(0).says("unchanged");
    let versions = boto(endpoint, "lambda", "list_layer_versions", &json!({ "LayerName": "repacked-layer" }));
    assert_eq!(versions["LayerVersions"].as_array().unwrap().len(), 1);
}

#[test]
fn best_is_smaller_than_the_default_and_fast_is_larger() {
    let universe = Universe::empty();
    let words: String = (0..40_000_u32).map(|n| format!("{} ", n.wrapping_mul(2_654_435_761) % 5_000)).collect();
    let universe = universe.file("dist/words.txt", words);
    let size = |arguments: &str| {
        let packaged = universe.run(&format!("package --list --zip dist --format json {arguments}")).code(0).json();
        packaged["packages"][0]["size"].as_u64().unwrap_or_else(|| panic!("{packaged}"))
    };
    let [fast, default, best] = ["--compression fast", "", "--compression best"].map(size);
    assert!(fast > default && default > best, "{fast} {default} {best}");
    universe.run("package --list --zip dist --compression better").code(3).says("`fast` or `best`");
}
