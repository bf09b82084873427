//! AWS' own model of its requests, as botocore has it: which members an operation takes, where, and of which form.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    iter::repeat,
    path::PathBuf,
    process::{Command, id},
    sync::OnceLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    emulator,
    request::{Request, decode, pairs},
    tree::{Node, scalar},
};

/// Writes what a request needs of the models of the services that the program calls.
const SCRIPT: &str = r"
import gzip, json, pathlib, sys

def plain(shape):
    wanted = 'type required members member key value min max pattern enum payload flattened union location ' \
        'locationName shape document'.split()
    def of(value):
        return {k: v for k, v in value.items() if k in wanted}
    shape = of(shape)
    for name in 'member', 'key', 'value':
        if name in shape:
            shape[name] = of(shape[name])
    if 'members' in shape:
        shape['members'] = {name: of(member) for name, member in shape['members'].items()}
    return shape

def service(file):
    model = json.load(gzip.open(file))
    meta, shapes, operations = model['metadata'], {'': {'type': 'structure'}}, {}
    def take(name):
        if name not in shapes:
            shape = shapes[name] = plain(model['shapes'][name])
            inner = [shape[key] for key in ('member', 'key', 'value') if key in shape]
            for member in [*inner, *shape.get('members', {}).values()]:
                take(member['shape'])
        return name
    for name, operation in model['operations'].items():
        input = take(operation['input']['shape']) if 'input' in operation else ''
        operations[name] = dict(operation['http'], input=input)
    signed = meta.get('signingName', meta['endpointPrefix'])
    rest = meta['protocol'] if meta['protocol'].startswith('rest') else None
    return signed, {'rest': rest, 'version': meta['apiVersion'], 'operations': operations, 'shapes': shapes}

data = pathlib.Path(sys.argv[1], 'botocore/data')
names = 'lambda s3 iam sts ecr logs cloudwatch cloudformation ssm secretsmanager sqs'.split()
newest = [sorted(data.glob(f'{name}/*/service-2.json.gz'))[-1] for name in names]
json.dump(dict(service(file) for file in newest), sys.stdout)
";

/// The operations of a service.
#[derive(Deserialize)]
pub(super) struct Service {
    /// How it writes bodies, when paths and methods say which operation is meant.
    rest: Option<Rest>,
    version: String,
    operations: BTreeMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize, Clone, Copy)]
enum Rest {
    #[serde(rename = "rest-json")]
    Json,
    #[serde(rename = "rest-xml")]
    Xml,
}

#[derive(Deserialize)]
struct Operation {
    method: String,
    #[serde(rename = "requestUri")]
    uri: String,
    input: String,
}

/// The form of a value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shape {
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    pub members: BTreeMap<String, Member>,
    pub member: Option<Member>,
    pub key: Option<Member>,
    pub value: Option<Member>,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    #[serde(rename = "enum", default)]
    values: Vec<String>,
    payload: Option<String>,
    #[serde(default)]
    pub flattened: bool,
    #[serde(default)]
    union: bool,
    /// Any JSON is one.
    #[serde(default)]
    document: bool,
    #[serde(skip)]
    compiled: OnceLock<Pattern>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Structure,
    List,
    Map,
    String,
    Character,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

/// A value inside of another.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Member {
    pub shape: String,
    location: Option<Location>,
    location_name: Option<String>,
    #[serde(default)]
    pub flattened: bool,
}

/// Where a member is that is not in the body.
#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Location {
    Uri,
    QueryString,
    Header,
    Headers,
}

impl Member {
    /// The name that is sent.
    pub fn sent<'a>(&'a self, name: &'a str) -> &'a str {
        self.location_name.as_deref().unwrap_or(name)
    }
}

impl Service {
    pub fn shape(&self, name: &str) -> &Shape {
        &self.shapes[name]
    }
}

/// What a request asks for.
struct Asked<'a> {
    service: &'a Service,
    name: &'a str,
    operation: &'a Operation,
    labels: Vec<(&'a str, String)>,
}

/// All services by the names that requests are signed for.
fn services() -> &'static BTreeMap<String, Service> {
    static ALL: OnceLock<BTreeMap<String, Service>> = OnceLock::new();
    ALL.get_or_init(|| serde_json::from_slice(&fs::read(written()).unwrap()).unwrap())
}

/// The file with the models, which is written once.
fn written() -> PathBuf {
    let home = emulator::home(emulator::Kind::Moto).unwrap();
    let mut hasher = DefaultHasher::new();
    SCRIPT.hash(&mut hasher);
    let file = home.join(format!("requests-{:x}.json", hasher.finish()));
    if !file.is_file() {
        let output = Command::new("python3").args(["-c", SCRIPT]).arg(&home).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let new = file.with_extension(id().to_string());
        fs::write(&new, output.stdout).unwrap();
        fs::rename(new, &file).unwrap();
    }
    file
}

/// The name of the operation that a request asks for; none when it is not for AWS' API.
pub fn operation(request: &Request) -> Option<&'static str> {
    asked(request).ok()?.map(|asked| asked.name)
}

/// Why AWS would refuse a request, by all that its model says.
pub fn faults(request: &Request) -> Vec<String> {
    let asked = match asked(request) {
        Ok(Some(asked)) => asked,
        Ok(None) => return Vec::new(),
        Err(fault) => return vec![fault],
    };
    let mut check = Check { service: asked.service, faults: Vec::new() };
    let input = check.input(&asked, request);
    check.structure(asked.service.shape(&asked.operation.input), &input, "");
    check.faults.iter().map(|fault| format!("{}: {fault}", asked.name)).collect()
}

/// A member of an operation. In a path, `member`, `key` and `value` lead into lists and maps.
pub struct Place {
    service: &'static Service,
    shape: &'static str,
}

impl Place {
    pub fn of(operation: &str, path: &str) -> Self {
        let service = services().values().find(|service| service.operations.contains_key(operation)).unwrap();
        let mut name = &service.operations[operation].input;
        for part in path.split('.') {
            let shape = service.shape(name);
            let inner = match (shape.kind, part) {
                (Kind::List, "member") => shape.member.as_ref(),
                (Kind::Map, "key") => shape.key.as_ref(),
                (Kind::Map, "value") => shape.value.as_ref(),
                _ => shape.members.get(part),
            };
            name = &inner.unwrap_or_else(|| panic!("{operation} has no {path}")).shape;
        }
        Self { service, shape: name }
    }

    /// Whether AWS accepts a value here.
    pub fn accepts(&self, value: &Value) -> bool {
        let mut check = Check { service: self.service, faults: Vec::new() };
        check.value(self.shape, value, "");
        check.faults.is_empty()
    }

    /// Values at the edges of what AWS accepts. Those of texts and lists come from a sample.
    pub fn edges(&self, sample: &str) -> Vec<Value> {
        let shape = self.service.shape(self.shape);
        #[expect(clippy::cast_possible_truncation, reason = "bounds are whole numbers")]
        let bounds = [shape.min, shape.max].into_iter().flatten().map(|bound| bound as i64);
        let around =
            bounds.flat_map(|bound| [bound - 1, bound, bound + 1]).filter(|bound| *bound < i64::from(i32::MAX));
        let lengths =
            around.clone().filter_map(|length| usize::try_from(length).ok()).filter(|length| *length <= 2_048);
        match shape.kind {
            Kind::Integer | Kind::Long => around.map(Value::from).collect(),
            Kind::String if !shape.values.is_empty() => {
                shape.values.iter().map(String::as_str).chain(["Other"]).map(Value::from).collect()
            }
            Kind::String => {
                // An empty text counts as not given, and blanks and commas at an end do not count.
                let longer = lengths
                    .filter(|length| *length > 0)
                    .map(|length| sample.chars().chain(repeat('a')).take(length).collect());
                let (begin, end) = sample.split_at(sample.len() / 2);
                let odd = " !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~äλ\t".chars();
                let within = odd.clone().map(|odd| format!("{begin}{odd}{end}"));
                let behind = odd.filter(|odd| !odd.is_whitespace() && *odd != ',').map(|odd| format!("{sample}{odd}"));
                let others =
                    [sample.to_owned(), format!(".{sample}"), format!("x{sample}"), "42".to_owned(), "x".to_owned()];
                longer.chain(within).chain(behind).chain(others).map(Value::from).collect()
            }
            Kind::List => lengths
                .map(|length| (0..length).map(|index| sample.replace('#', &index.to_string())).collect())
                .collect(),
            kind => panic!("{} is {}", self.shape, kind.called()),
        }
    }
}

/// What a request asks for; nothing when it is not signed, as the download of a package.
fn asked(request: &Request) -> Result<Option<Asked<'static>>, String> {
    let form = form(request);
    let of_form = |name: &str| form.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let signed = request.header("authorization").and_then(|header| header.split('/').nth(3));
    let service = match (signed, of_form("Version")) {
        (Some(name), _) => {
            services().get(name).ok_or(format!("the model of `{name}` is not among those to check by"))?
        }
        (None, Some(version)) => services()
            .values()
            .find(|service| service.version == version)
            .ok_or(format!("no service has `{version}`"))?,
        (None, None) => return Ok(None),
    };
    if service.rest.is_some() {
        let found = by_path(service, request);
        return found.map(Some).ok_or(format!("no operation is {} {}", request.method(), request.path()));
    }
    let target = request.header("x-amz-target").and_then(|target| target.rsplit('.').next());
    let name = target.or_else(|| of_form("Action")).ok_or("neither X-Amz-Target nor Action names an operation")?;
    let (name, operation) =
        service.operations.get_key_value(name).ok_or_else(|| format!("no operation is called `{name}`"))?;
    Ok(Some(Asked { service, name, operation, labels: Vec::new() }))
}

/// The fields of a form; none when the body is something else.
fn form(request: &Request) -> Vec<(String, String)> {
    let is_form = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
    if is_form { pairs(&String::from_utf8_lossy(&request.body)) } else { Vec::new() }
}

/// The operation whose method and path fit best: by words of the path and the query, then by the members they need.
fn by_path(service: &'static Service, request: &Request) -> Option<Asked<'static>> {
    let query = request.query();
    let fitting = service.operations.iter().filter_map(|(name, operation)| {
        let (path, literals) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
        let literals = pairs(literals);
        let has = |(name, value): &(String, String)| {
            query.iter().any(|(other, is)| other == name && (value.is_empty() || value == is))
        };
        if operation.method != request.method() || !literals.iter().all(has) {
            return None;
        }
        let labels = labels(path, request.path())?;
        let input = service.shape(&operation.input);
        let needed = input.required.iter().map(|name| (name, &input.members[name]));
        let needed: Vec<_> = needed
            .filter_map(|(name, member)| match member.location {
                Some(Location::QueryString) => Some(query.iter().any(|(other, _)| other == member.sent(name))),
                Some(Location::Header) => Some(request.header(member.sent(name)).is_some()),
                _ => None,
            })
            .collect();
        let words = path.split('/').filter(|part| !part.starts_with('{')).count() + literals.len();
        let rank = (words, needed.iter().all(|there| *there), needed.len());
        Some((rank, Asked { service, name, operation, labels }))
    });
    fitting.max_by_key(|(rank, _)| *rank).map(|(_, asked)| asked)
}

/// What the labels of a template hold; nothing when the path has another form.
fn labels<'a>(template: &'a str, path: &str) -> Option<Vec<(&'a str, String)>> {
    let mut rest = path.trim_start_matches('/');
    let mut all = Vec::new();
    for part in template.trim_matches('/').split('/') {
        let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let greedy = label.and_then(|label| label.strip_suffix('+'));
        let (first, others) = if greedy.is_some() { (rest, "") } else { rest.split_once('/').unwrap_or((rest, "")) };
        match greedy.or(label) {
            Some(_) if first.is_empty() => return None,
            Some(label) => all.push((label, decode(first))),
            None if first == part => {}
            None => return None,
        }
        rest = others;
    }
    rest.is_empty().then_some(all)
}

/// Holds values against shapes.
struct Check<'a> {
    service: &'a Service,
    faults: Vec<String>,
}

impl Check<'_> {
    fn fault(&mut self, place: &str, rule: &str) {
        self.faults.push(format!("{}: {rule}", if place.is_empty() { "the body" } else { place }));
    }

    /// All that a request sends, by the names it is sent with.
    fn input(&mut self, asked: &Asked<'_>, request: &Request) -> Map<String, Value> {
        let shape = self.service.shape(&asked.operation.input);
        let mut all = Map::new();
        if self.service.rest.is_none() {
            self.whole_body(shape, asked, request, &mut all);
            return all;
        }
        for (label, text) in &asked.labels {
            self.outside(shape, Location::Uri, label, text, &mut all);
        }
        let literals = pairs(asked.operation.uri.split_once('?').map_or("", |(_, query)| query));
        // `x-id` repeats the name of the operation, for logs.
        let query = request.query().into_iter().filter(|(name, _)| name != "x-id");
        for (name, text) in query.filter(|(name, _)| !literals.iter().any(|(literal, _)| literal == name)) {
            self.outside(shape, Location::QueryString, &name, &text, &mut all);
        }
        for (name, text) in request.headers().filter(|(name, _)| !is_transport(name)) {
            self.outside(shape, Location::Header, &name, text, &mut all);
        }
        match shape.payload.as_deref().map(|name| (name, &shape.members[name])) {
            _ if request.body.is_empty() => {}
            // A payload of bytes has no rules, and may be large.
            Some((name, member)) if self.service.shape(&member.shape).kind != Kind::Structure => {
                all.insert(member.sent(name).to_owned(), Value::from(""));
            }
            Some((name, member)) => {
                if let Some(value) = self.body(member, Some(member.sent(name)), request) {
                    all.insert(member.sent(name).to_owned(), value);
                }
            }
            None => self.whole_body(shape, asked, request, &mut all),
        }
        all
    }

    /// Adds a label, a parameter of the query or a header.
    fn outside(&mut self, shape: &Shape, at: Location, sent: &str, text: &str, all: &mut Map<String, Value>) {
        let is = |(name, member): &(&String, &Member)| match member.location {
            Some(Location::Header) if at == Location::Header => member.sent(name).eq_ignore_ascii_case(sent),
            Some(Location::Headers) if at == Location::Header => {
                sent.starts_with(&member.sent(name).to_ascii_lowercase())
            }
            location => location == Some(at) && member.sent(name) == sent,
        };
        let Some((name, member)) = shape.members.iter().find(is) else {
            // Headers are for whoever stands between as well, so only AWS' own must be known.
            if at != Location::Header || sent.starts_with("x-amz-") {
                self.fault(sent, "is no member that belongs into the path, the query or a header");
            }
            return;
        };
        let inner = self.service.shape(&member.shape);
        let sent = member.sent(name).to_owned();
        match inner.kind {
            Kind::Map => {}
            Kind::List => {
                let of = self.service.shape(&inner.member.as_ref().unwrap().shape);
                let list = all.entry(sent).or_insert_with(|| Vec::<Value>::new().into());
                list.as_array_mut().unwrap().push(scalar(of.kind, text));
            }
            kind => drop(all.insert(sent, scalar(kind, text))),
        }
    }

    /// Adds what a body holds that is all of the input, or the rest of it.
    fn whole_body(&mut self, shape: &Shape, asked: &Asked<'_>, request: &Request, all: &mut Map<String, Value>) {
        let whole =
            Member { shape: asked.operation.input.clone(), location: None, location_name: None, flattened: false };
        let Some(value) = self.body(&whole, None, request) else { return };
        let Value::Object(value) = value else { return self.fault("", "must be an object") };
        for (sent, value) in value {
            let member = shape.members.iter().find(|(name, member)| member.sent(name) == sent);
            match member {
                Some((_, Member { location: Some(_), .. })) => self.fault(&sent, "does not belong into the body"),
                _ => drop(all.insert(sent, value)),
            }
        }
    }

    /// The value of a body.
    fn body(&mut self, member: &Member, root: Option<&str>, request: &Request) -> Option<Value> {
        if matches!(self.service.rest, Some(Rest::Xml)) {
            let node = Node::of_xml(&String::from_utf8_lossy(&request.body));
            let node = node.filter(|node| root.is_none_or(|root| root == node.name));
            return node.map(|node| node.value(self.service, member)).or_else(|| {
                self.fault("", "must be XML, with the root that the model names");
                None
            });
        }
        let form = form(request);
        if form.is_empty() {
            return serde_json::from_slice(&request.body)
                .map_err(|error| self.fault("", &format!("must be JSON: {error}")))
                .ok();
        }
        let of = |name: &str| form.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        if of("Version").is_none_or(|version| *version != self.service.version) {
            self.fault("Version", &format!("must be {}", self.service.version));
        }
        let members: Vec<_> =
            form.iter().filter(|(name, _)| !["Action", "Version"].contains(&name.as_str())).cloned().collect();
        Some(Node::of_form(&members).value(self.service, member))
    }

    fn value(&mut self, shape: &str, value: &Value, place: &str) {
        let service = self.service;
        let shape = service.shape(shape);
        if shape.document {
            return;
        }
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => self.structure(shape, members, place),
            (Kind::List, Value::Array(values)) => {
                self.within(shape, values.len(), "values", place);
                for (index, value) in values.iter().enumerate() {
                    self.value(&shape.member.as_ref().unwrap().shape, value, &format!("{place}[{index}]"));
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                self.within(shape, entries.len(), "entries", place);
                for (key, value) in entries {
                    let place = format!("{place}.{key}");
                    self.value(&shape.key.as_ref().unwrap().shape, &Value::from(key.as_str()), &place);
                    self.value(&shape.value.as_ref().unwrap().shape, value, &place);
                }
            }
            (Kind::String | Kind::Character, Value::String(text)) => self.text(shape, text, place),
            (Kind::Integer | Kind::Long, Value::Number(number)) if number.is_i64() => self.range(shape, number, place),
            (Kind::Float | Kind::Double, Value::Number(number)) => self.range(shape, number, place),
            (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => {}
            (Kind::Blob, Value::String(text)) => match BASE64_STANDARD.decode(text) {
                Ok(bytes) => self.within(shape, bytes.len(), "bytes", place),
                Err(_) => self.fault(place, "must be base64"),
            },
            (kind, _) => self.fault(place, &format!("must be {}", kind.called())),
        }
    }

    fn structure(&mut self, shape: &Shape, members: &Map<String, Value>, place: &str) {
        let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
        for name in &shape.required {
            if !members.contains_key(shape.members[name].sent(name)) {
                self.fault(&below(name), "is required");
            }
        }
        if shape.union && members.len() != 1 {
            self.fault(place, "must have one member");
        }
        for (sent, value) in members {
            match shape.members.iter().find(|(name, member)| member.sent(name) == sent) {
                Some((name, member)) => self.value(&member.shape, value, &below(name)),
                None => self.fault(&below(sent), "is unknown"),
            }
        }
    }

    fn text(&mut self, shape: &Shape, text: &str, place: &str) {
        self.within(shape, text.chars().count(), "characters", place);
        if !shape.values.is_empty() && !shape.values.iter().any(|value| value == text) {
            self.fault(place, &format!("`{text}` is none of {}", shape.values.join(", ")));
        }
        if let Some(pattern) = &shape.pattern
            && !shape.compiled.get_or_init(|| Pattern::of(pattern)).fits(text)
        {
            self.fault(place, &format!("`{text}` does not fit {pattern}"));
        }
    }

    fn within(&mut self, shape: &Shape, count: usize, of: &str, place: &str) {
        let count = f64::from(u32::try_from(count).unwrap());
        self.bounds(shape, count, of, place);
    }

    fn range(&mut self, shape: &Shape, number: &serde_json::Number, place: &str) {
        self.bounds(shape, number.as_f64().unwrap(), "as its value", place);
    }

    fn bounds(&mut self, shape: &Shape, is: f64, of: &str, place: &str) {
        if let Some(min) = shape.min.filter(|min| is < *min) {
            self.fault(place, &format!("has {is} {of}, fewer than {min}"));
        }
        if let Some(max) = shape.max.filter(|max| is > *max) {
            self.fault(place, &format!("has {is} {of}, more than {max}"));
        }
    }
}

impl Kind {
    fn called(self) -> &'static str {
        match self {
            Self::Structure | Self::Map => "an object",
            Self::List => "a list",
            Self::String | Self::Character => "a text",
            Self::Integer | Self::Long => "a whole number",
            Self::Float | Self::Double => "a number",
            Self::Boolean => "true or false",
            Self::Timestamp => "a time",
            Self::Blob => "a text in base64",
        }
    }
}

/// Headers that carry a request, whatever its operation is.
fn is_transport(name: &str) -> bool {
    let ends =
        ["date", "content-sha256", "security-token", "user-agent", "target", "decoded-content-length", "trailer"];
    name.strip_prefix("x-amz-").is_some_and(|end| ends.contains(&end))
}

/// What a text must look like from its first to its last character.
struct Pattern {
    must: Regex,
    /// What no whole text may look like.
    must_not: Option<Regex>,
}

impl Pattern {
    /// Reads a pattern of Java. Of what it looks ahead for, only whole texts are kept. All letters beyond ASCII count.
    fn of(java: &str) -> Self {
        let whole = |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).unwrap_or_else(|e| panic!("{java}: {e}"));
        let mut pattern = java.to_owned();
        let mut must_not = None;
        while let Some(start) = ["(?!", "(?<!"].iter().find_map(|open| pattern.find(open)) {
            let end = start + closing(&pattern[start..]);
            let inner = pattern[start..end].trim_start_matches(['(', '?', '<', '!']);
            if inner.starts_with('^') && inner.ends_with('$') {
                must_not = Some(whole(inner));
            }
            pattern.replace_range(start..=end, "");
        }
        let classes = [
            ("\\w-", "\\w\\-"),
            ("\\p{L}", "A-Za-z\\u{80}-\\u{10FFFF}"),
            ("\\p{N}", "0-9"),
            ("\\p{Zs}", " "),
            ("\\p{Z}", " "),
            ("\\p{M}", ""),
            ("\\p{P}", "!-/:-@\\[-`{-~"),
            ("\\p{S}", "$+<=>^`|~"),
        ];
        let pattern = classes.iter().fold(pattern, |pattern, (class, range)| pattern.replace(class, range));
        Self { must: whole(&pattern), must_not }
    }

    fn fits(&self, text: &str) -> bool {
        self.must.is_match(text) && !self.must_not.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }
}

/// Where the group ends that a pattern begins with.
fn closing(pattern: &str) -> usize {
    let mut depth = 0;
    let ends = pattern.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth == 0
    });
    ends.unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signed request.
    fn request(service: &str, line: &str, headers: &str, body: &str) -> Request {
        let scope = format!("Authorization: AWS4-HMAC-SHA256 Credential=A/20200101/us-east-1/{service}/aws4_request");
        let head = format!("{line} HTTP/1.1\r\n{scope}\r\n{headers}\r\n");
        Request { head, body: body.as_bytes().to_vec() }
    }

    fn lambda(line: &str, body: &Value) -> Vec<String> {
        faults(&request("lambda", line, "", &body.to_string()))
    }

    fn create(changes: &[(&str, Value)]) -> Vec<String> {
        let mut body = serde_json::json!({
            "FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Handler": "index.handler",
            "Runtime": "python3.12", "Code": { "ZipFile": "UEs=" },
        });
        for (member, value) in changes {
            body[*member] = value.clone();
        }
        lambda("POST /2015-03-31/functions", &body)
    }

    const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

    #[test]
    fn every_pattern_can_be_read() {
        for service in services().values() {
            for shape in service.shapes.values() {
                shape.pattern.as_deref().map(Pattern::of);
            }
        }
    }

    #[test]
    fn a_request_as_it_should_be_has_no_fault() {
        let tags = serde_json::json!({ "größe": "1 2" });
        assert_eq!(create(&[("Tags", tags), ("MemorySize", 128.into())]), [""; 0]);
    }

    #[test]
    fn a_wrong_member_is_named_with_its_rule() {
        let cases = [
            ("Rolle", Value::from("x"), "CreateFunction: Rolle: is unknown"),
            ("MemorySize", 64.into(), "CreateFunction: MemorySize: has 64 as its value, fewer than 128"),
            ("Timeout", 1_000_000.into(), "Timeout: has 1000000 as its value, more than"),
            ("Timeout", "3".into(), "Timeout: must be a whole number"),
            ("Timeout", serde_json::json!(1.5), "Timeout: must be a whole number"),
            ("Publish", "true".into(), "Publish: must be true or false"),
            ("Publish", Value::Null, "Publish: must be true or false"),
            ("Layers", "arn".into(), "Layers: must be a list"),
            ("Layers", serde_json::json!(["arn"]), "Layers[0]: `arn` does not fit"),
            ("Runtime", "python1".into(), "Runtime: `python1` is none of"),
            ("Description", "x".repeat(257).into(), "Description: has 257 characters, more than 256"),
            ("Role", "arn:aws:iam::1:role/r".into(), "Role: `arn:aws:iam::1:role/r` does not fit"),
            ("Code", serde_json::json!({ "ZipFile": "%" }), "Code.ZipFile: must be base64"),
            ("Tags", serde_json::json!({ "a": 1 }), "Tags.a: must be a text"),
            ("Tags", serde_json::json!({ "a#": "" }), "Tags.a#: `a#` does not fit"),
            ("Architectures", serde_json::json!([]), "Architectures: has 0 values, fewer than 1"),
            ("VpcConfig", serde_json::json!({ "SubnetId": [] }), "VpcConfig.SubnetId: is unknown"),
        ];
        for (member, value, rule) in cases {
            let found = create(&[(member, value)]);
            assert!(found.len() == 1 && found[0].contains(rule), "{rule}: {found:?}");
        }
    }

    #[test]
    fn a_member_that_is_missing_or_elsewhere_is_named() {
        let empty = serde_json::json!({});
        let found = lambda("POST /2015-03-31/functions", &empty);
        assert_eq!(found, ["FunctionName", "Role", "Code"].map(|name| format!("CreateFunction: {name}: is required")));
        let found = lambda("PUT /2015-03-31/functions/f/configuration", &serde_json::json!({ "FunctionName": "f" }));
        assert_eq!(found, ["UpdateFunctionConfiguration: FunctionName: does not belong into the body"]);
        let found = lambda("GET /2015-03-31/functions/f?MemorySize=1", &empty);
        assert!(found.len() == 1 && found[0].contains("GetFunction: MemorySize: is no member"), "{found:?}");
        let found =
            lambda("DELETE /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af", &empty);
        assert_eq!(found, ["UntagResource: TagKeys: is required"]);
        let found =
            lambda("POST /2015-03-31/functions/f/aliases", &serde_json::json!({ "Name": "7", "FunctionVersion": "1" }));
        assert!(found.len() == 1 && found[0].contains("CreateAlias: Name: `7` does not fit"), "{found:?}");
        let found = lambda("PATCH /2015-03-31/functions/f", &empty);
        assert!(found[0].contains("no operation is PATCH"), "{found:?}");
        let found = faults(&request(
            "lambda",
            "POST /2015-03-31/functions/f/invocations",
            "X-Amz-Invocation-Type: Now\r\n",
            "",
        ));
        assert!(found.len() == 1 && found[0].contains("Invoke: InvocationType: `Now` is none of"), "{found:?}");
        let found = faults(&request("lambda", "GET /2015-03-31/functions/f", "X-Amz-Log-Type: Tail\r\n", ""));
        assert!(found.len() == 1 && found[0].contains("GetFunction: x-amz-log-type: is no member"), "{found:?}");
    }

    #[test]
    fn forms_are_read_with_their_lists() {
        let iam =
            |fields: &str| faults(&request("iam", "POST /", FORM, &format!("Version=2010-05-08&Action={fields}")));
        let role = "CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%7D";
        let tagged = format!("{role}&MaxSessionDuration=3600&Tags.member.1.Key=a&Tags.member.1.Value=b");
        assert_eq!(iam(&tagged), [""; 0]);
        assert_eq!(iam("CreateRole&RoleName=r"), ["CreateRole: AssumeRolePolicyDocument: is required"]);
        assert_eq!(
            iam(&format!("{role}&Tags.member.1.Key=a&Tags.member.2.Key=b&Tags.member.2.Value=")),
            ["CreateRole: Tags[0].Value: is required"]
        );
        assert!(iam(&format!("{role}&MaxSessionDuration=5"))[0].contains("MaxSessionDuration: has 5"));
        assert_eq!(iam(&format!("{role}&RoleNames=x")), ["CreateRole: RoleNames: is unknown"]);
        assert!(iam("CreateRoles")[0].contains("no operation is called `CreateRoles`"));
    }

    #[test]
    fn an_unsigned_form_is_known_by_its_version() {
        let body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/ci";
        let request = Request { head: format!("POST / HTTP/1.1\r\n{FORM}\r\n"), body: body.as_bytes().to_vec() };
        assert_eq!(operation(&request), Some("AssumeRoleWithWebIdentity"));
        assert_eq!(
            faults(&request),
            ["RoleSessionName", "WebIdentityToken"]
                .map(|name| format!("AssumeRoleWithWebIdentity: {name}: is required"))
        );
    }

    #[test]
    fn operations_of_s3_are_told_apart_by_query_and_headers() {
        let cases = [
            ("PUT /b/k", "", "PutObject"),
            ("PUT /b/a/k%20/?partNumber=1&uploadId=u&x-id=UploadPart", "", "UploadPart"),
            ("PUT /b/k", "x-amz-copy-source: /b/o\r\n", "CopyObject"),
            ("POST /b/k?uploads", "", "CreateMultipartUpload"),
            ("POST /b/k?uploadId=u", "", "CompleteMultipartUpload"),
            ("DELETE /b/k?uploadId=u", "", "AbortMultipartUpload"),
            ("DELETE /b/k", "", "DeleteObject"),
            ("GET /b/k?versionId=v", "", "GetObject"),
            ("GET /b/?list-type=2", "", "ListObjectsV2"),
            ("HEAD /b", "", "HeadBucket"),
        ];
        for (line, headers, name) in cases {
            assert_eq!(operation(&request("s3", line, headers, "")), Some(name), "{line}");
        }
    }

    #[test]
    fn bodies_in_xml_are_read() {
        let complete = |body: &str| faults(&request("s3", "POST /b/k?uploadId=u", "", body));
        let part = |inner: &str| format!("<CompleteMultipartUpload><Part>{inner}</Part></CompleteMultipartUpload>");
        assert_eq!(complete(&part("<ETag>&quot;e&quot;</ETag><PartNumber>1</PartNumber>")), [""; 0]);
        let found = complete(&part("<ETag/><PartNumber>one</PartNumber><Size>1</Size>"));
        let place = "CompleteMultipartUpload: MultipartUpload.Parts[0]";
        assert_eq!(found, [format!("{place}.PartNumber: must be a whole number"), format!("{place}.Size: is unknown")]);
        for body in ["<Parts></Parts>", "<CompleteMultipartUpload>", "{}"] {
            assert!(complete(body)[0].contains("must be XML"), "{body}");
        }
    }

    #[test]
    fn targets_of_json_are_read() {
        let logs = |name: &str, body: &str| {
            faults(&request("logs", "POST /", &format!("X-Amz-Target: Logs_20140328.{name}\r\n"), body))
        };
        assert_eq!(logs("PutRetentionPolicy", r#"{"logGroupName":"/aws/lambda/f","retentionInDays":7}"#), [""; 0]);
        assert_eq!(
            logs("PutRetentionPolicy", r#"{"logGroupName":"a"}"#),
            ["PutRetentionPolicy: retentionInDays: is required"]
        );
        assert!(logs("PutRetentionPolicy", "[")[0].contains("the body: must be JSON"));
    }
}
