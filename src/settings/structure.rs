//! Values in the API's own shape, with members by AWS' names: how they are read, compared and shown.
//!
//! A [`Shape`] declares as data which values are valid. Must not know where a value is written or sent.

use serde_json::Value;

use super::compare::{Found, Same, compare, is_empty, same};
use super::{Aspect, Difference, Setting, Written};

/// The valid values of one API member.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text that a rule accepts. The error is a fragment that says what is wrong.
    Text(fn(&str) -> Result<(), String>),
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// A whole number within limits.
    Number {
        /// The unit; empty for a plain number.
        unit: &'static str,
        /// The smallest valid number.
        least: i64,
        /// The largest valid number.
        most: i64,
    },
    /// One of these whole numbers.
    OneOf {
        /// Their description in an error: "must be …".
        what: &'static str,
        /// All of them.
        numbers: &'static [i64],
    },
    /// True or false.
    Flag,
    /// Any value. Other code reads it.
    Any,
    /// A JSON document that the API takes as text. The user may write it as a map.
    Json {
        /// The most characters of the text.
        most: usize,
    },
    /// Values of one shape.
    List {
        /// Their shape.
        of: &'static Self,
        /// The most of them.
        most: usize,
    },
    /// Members by AWS' names.
    Members {
        /// All of them.
        members: &'static [Member],
        /// The member that a plain text stands for when it is written instead of the map; empty if a map is required.
        short: &'static str,
    },
}

/// A member of a shape.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name in the API.
    pub name: &'static str,
    /// Its valid values.
    pub shape: Shape,
    /// Whether it must be written.
    pub need: Need,
}

/// Whether a member must be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It may be left out. Then the live value stays.
    Optional,
    /// It must be written.
    Required,
    /// It may be left out. Then it has this value.
    Default(&'static str),
}

/// A value in the API's shape. It holds only members that were written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Structure(pub Value);

/// The member that identifies an item of a list.
const IDENTITY: &str = "Arn";

impl Structure {
    /// A structure of these members, without null values.
    pub(crate) fn of<const N: usize>(members: [(&str, Value); N]) -> Self {
        let there = members.into_iter().filter(|(_, value)| !value.is_null());
        Self(Value::Object(there.map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    /// Whether it is empty.
    pub(crate) fn is_empty(&self) -> bool {
        is_empty(&self.0)
    }

    /// The value of a member; `None` if it is absent.
    pub(crate) fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member)
    }

    /// The text of a member; `None` if it is absent or not a text.
    pub(crate) fn text(&self, member: &str) -> Option<String> {
        self.get(member)?.as_str().map(str::to_owned)
    }

    /// The number of a member; `None` if it is absent or not a number.
    pub(crate) fn number(&self, member: &str) -> Option<i32> {
        self.get(member)?.as_i64()?.try_into().ok()
    }

    /// The boolean of a member; `None` if it is absent or not a boolean.
    pub(crate) fn flag(&self, member: &str) -> Option<bool> {
        self.get(member)?.as_bool()
    }

    /// The texts in the list of a member; `None` if it is absent.
    pub(crate) fn texts(&self, member: &str) -> Option<Vec<String>> {
        let items = self.get(member)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }

    /// The structure of a member; `None` if it is absent.
    pub(crate) fn inner(&self, member: &str) -> Option<Self> {
        self.get(member).cloned().map(Self)
    }

    /// Adds a member unless it is present.
    pub(crate) fn default_member(&mut self, member: &str, value: impl Into<Value>) {
        if let Value::Object(members) = &mut self.0 {
            members.entry(member).or_insert(value.into());
        }
    }

    /// The top-level members that differ from `live`. Each is sent whole: parts that were not written come from `live`.
    #[must_use]
    pub(crate) fn changed(&self, live: &Self) -> Self {
        let Value::Object(members) = self.over(live).0 else { return self.clone() };
        let differs = |name: &String| {
            let written =
                self.get(name).cloned().map(|value| Self(Value::Object([(name.clone(), value)].into_iter().collect())));
            written.is_some_and(|written| !written.is_met_by(live))
        };
        Self(Value::Object(members.into_iter().filter(|(name, _)| differs(name)).collect()))
    }

    /// Whether `live` has the value of every written member.
    pub(crate) fn is_met_by(&self, live: &Self) -> bool {
        let mut met = true;
        self.compare(Some(live), &mut |_, _, _| met = false);
        met
    }

    /// Whether `live` has exactly the same members.
    pub(crate) fn is_same_as(&self, live: &Self) -> bool {
        self.is_met_by(live) && self.only_in(live).next().is_none()
    }

    /// Members of `live` that are absent here.
    fn only_in<'a>(&self, live: &'a Self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let members = live.0.as_object().into_iter().flatten();
        members.filter(|(name, value)| !is_empty(value) && self.get(name).is_none_or(is_empty))
    }

    /// The differences from `live`, including members that only `live` has.
    pub(crate) fn differences_both_ways(&self, about: Aspect, live: &Self) -> Vec<Difference> {
        let mut found = self.differences(about, Some(live));
        for (name, value) in self.only_in(live) {
            let member = snake(name);
            if !found.iter().any(|difference| difference.member.as_deref() == Some(&member)) {
                found.push(Difference::whole(about, Some(value.clone()), None).of_member(&member));
            }
        }
        found
    }

    /// Finds every written member that differs in `live`.
    fn compare(&self, live: Option<&Self>, found: Found<'_>) {
        // A structure without members asks for no change of an existing one.
        if matches!((&self.0, live), (Value::Object(members), Some(Self(Value::Object(_)))) if members.is_empty()) {
            return;
        }
        // Shows every member of a new structure. In an existing one, a missing member counts as `false`.
        let same: Same = if live.is_some() { same } else { |_, wanted, _| is_empty(wanted) };
        compare("", &self.0, live.map_or(&Value::Null, |live| &live.0), same, found);
    }

    /// This structure, completed from `live`: an absent member has the value of `live`, also in an item of a list. A
    /// member that was written empty stays empty.
    #[must_use]
    pub(crate) fn over(&self, live: &Self) -> Self {
        fn laid(over: &Value, under: &Value) -> Value {
            match (over, under) {
                (Value::Object(over), Value::Object(under)) if !over.is_empty() => {
                    let mut members = under.clone();
                    for (name, value) in over {
                        let below = under.get(name).unwrap_or(&Value::Null);
                        members.insert(name.clone(), laid(value, below));
                    }
                    Value::Object(members)
                }
                (Value::Array(over), Value::Array(under)) => {
                    let same = |item: &Value| {
                        under
                            .iter()
                            .find(|other| item.get(IDENTITY).is_some() && item.get(IDENTITY) == other.get(IDENTITY))
                    };
                    over.iter().map(|item| same(item).map_or_else(|| item.clone(), |other| laid(item, other))).collect()
                }
                (over, _) => over.clone(),
            }
        }
        Self(laid(&self.0, &live.0))
    }
}

impl Setting for Structure {
    fn parse(written: &Written) -> Result<Self, String> {
        match written {
            Written::Structure(value) => Ok(Self(value.clone())),
            Written::Text(text) => Ok(Self(text.trim().into())),
            Written::List(items) => Ok(Self(items.clone().into())),
        }
    }

    fn data(&self) -> Value {
        self.0.clone()
    }

    fn written(&self) -> Written {
        Written::Structure(self.0.clone())
    }

    fn emptied() -> Option<Self> {
        Some(Self::default())
    }

    fn over(&self, live: &Self) -> Self {
        Self::over(self, live)
    }

    /// Compares each written member; absent members do not count.
    fn differences(&self, about: Aspect, live: Option<&Self>) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare(live, &mut |path, from, to| {
            found.push(Difference::whole(about, from.cloned(), Some(to.clone())).of_member(path));
        });
        found
    }
}

/// A value as text: members by the names that users write, a number with its unit.
pub(crate) fn shown(value: &Value, unit: Option<&str>) -> String {
    let inner = |value: &Value| shown(value, None);
    match (value, unit) {
        (value, _) if is_empty(value) => "none".to_owned(),
        (Value::String(text), _) => text.clone(),
        (Value::Array(items), _) => items.iter().map(inner).collect::<Vec<_>>().join(", "),
        (Value::Object(members), _) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", snake(name), inner(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        (Value::Number(number), Some(unit)) => format!("{number} {unit}"),
        (other, _) => other.to_string(),
    }
}

/// The YAML name of an API member: `KMSKeyArn` becomes `kms_key_arn`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before != '_' && (!before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase))
            });
        if begins {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::End;

    const ABOUT: Aspect = Aspect::Architecture;

    fn differences(wanted: Value, live: Value) -> Vec<String> {
        let found = Structure(wanted).differences(ABOUT, Some(&Structure(live)));
        let end = |end: Option<End>| match end {
            Some(End::Value(value)) => shown(&value, None),
            _ => "nothing".to_owned(),
        };
        let shown_line = |d: Difference| format!("{}: {} -> {}", d.member.unwrap_or_default(), end(d.from), end(d.to));
        found.into_iter().map(shown_line).collect()
    }

    #[test]
    fn only_members_that_were_written_count() {
        let live = json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" });
        assert_eq!(differences(json!({ "LogFormat": "Text" }), live.clone()), [""; 0]);
        assert_eq!(
            differences(json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN" }), live),
            ["log_format: Text -> JSON", "system_log_level: nothing -> WARN"]
        );
    }

    #[test]
    fn a_new_structure_shows_every_member() {
        let found = Structure(json!({ "Enabled": false, "Cors": {} })).differences(ABOUT, None);
        let told: Vec<_> = found.into_iter().map(|d| (d.member.unwrap(), d.to.unwrap())).collect();
        assert_eq!(told, [("enabled".to_owned(), End::Value(json!(false)))]);
    }

    #[test]
    fn a_member_that_an_item_of_a_list_does_not_name_stays() {
        let of = |value: Value| Structure(value);
        let live =
            of(json!([{ "Arn": "a", "LocalMountPath": "/mnt/a", "S3FilesConfig": { "DirectS3Read": "ENABLED" } }]));
        let same = of(json!([{ "Arn": "a", "LocalMountPath": "/mnt/a" }]));
        assert!(same.is_met_by(&live));
        let moved = of(json!([{ "Arn": "a", "LocalMountPath": "/mnt/b" }]));
        assert!(!moved.is_met_by(&live));
        assert_eq!(moved.over(&live).0[0]["S3FilesConfig"]["DirectS3Read"], "ENABLED");
        let other = of(json!([{ "Arn": "b", "LocalMountPath": "/mnt/a" }]));
        assert_eq!(other.over(&live), other);
        assert!(!of(json!([])).is_met_by(&live));
    }

    #[test]
    fn order_counts_only_in_ordered_lists() {
        let cors = |methods: Value| json!({ "Cors": { "AllowMethods": methods } });
        assert_eq!(differences(cors(json!(["GET", "PUT"])), cors(json!(["PUT", "GET"]))), [""; 0]);
        assert_eq!(
            differences(json!({ "Command": ["a", "b"] }), json!({ "Command": ["b", "a"] })),
            ["command: b, a -> a, b"]
        );
    }

    #[test]
    fn all_empty_values_are_equal() {
        for nothing in [json!(null), json!([]), json!({}), json!("")] {
            assert_eq!(differences(nothing.clone(), json!(null)), [""; 0]);
            assert_eq!(differences(nothing, json!(["x"])), [": x -> none"]);
        }
        assert_eq!(differences(json!({ "Flag": false }), json!({})), [""; 0]);
    }

    #[test]
    fn json_texts_are_compared_by_content() {
        let filters = |pattern: &str| json!({ "Filters": [{ "Pattern": pattern }] });
        assert_eq!(differences(filters(r#"{"a":[1],"b":2}"#), filters(r#"{ "b": 2, "a": [1] }"#)), [""; 0]);
        assert_eq!(differences(filters(r#"{"a":[1]}"#), filters(r#"{"a":[2]}"#)).len(), 1);
    }

    #[test]
    fn members_that_differ_are_sent_whole() {
        let wanted = Structure(json!({ "Cors": { "MaxAge": 5 }, "AuthType": "NONE" }));
        let live =
            Structure(json!({ "Cors": { "AllowOrigins": ["*"] }, "AuthType": "NONE", "InvokeMode": "BUFFERED" }));
        assert_eq!(wanted.changed(&live).0, json!({ "Cors": { "AllowOrigins": ["*"], "MaxAge": 5 } }));
        assert_eq!(wanted.changed(&wanted).0, json!({}));
    }

    #[test]
    fn a_two_way_comparison_finds_members_that_only_live_has() {
        let count = |wanted: Value, live: Value| Structure(wanted).differences_both_ways(ABOUT, &Structure(live)).len();
        let (wide, narrow) = (json!({ "Principal": "p" }), json!({ "Principal": "p", "SourceArn": "a" }));
        assert_eq!(count(wide.clone(), wide.clone()), 0);
        assert_eq!(count(wide.clone(), narrow.clone()), 1, "a condition that is no longer wanted goes");
        assert_eq!(count(narrow, wide), 1);
    }

    #[test]
    fn a_structure_without_members_changes_nothing() {
        assert_eq!(differences(json!({}), json!({ "AuthType": "NONE" })), [""; 0]);
    }

    #[test]
    fn an_empty_member_clears_the_live_one() {
        let (wanted, live) = (json!({ "Cors": {} }), json!({ "Cors": { "MaxAge": 1 }, "AuthType": "NONE" }));
        assert_eq!(differences(wanted.clone(), live.clone()), ["cors: {max_age: 1} -> none"]);
        assert_eq!(Structure(wanted).over(&Structure(live)).0, json!({ "Cors": {}, "AuthType": "NONE" }));
    }

    #[test]
    fn absent_members_are_sent_with_their_live_value() {
        let wanted = Structure(json!({ "Cors": { "MaxAge": 5 }, "AuthType": "NONE" }));
        let live = Structure(json!({ "Cors": { "MaxAge": 1, "AllowOrigins": ["*"] }, "InvokeMode": "BUFFERED" }));
        assert_eq!(
            wanted.over(&live).0,
            json!({ "Cors": { "MaxAge": 5, "AllowOrigins": ["*"] }, "InvokeMode": "BUFFERED", "AuthType": "NONE" })
        );
    }

    #[test]
    fn names_are_shown_as_users_write_them() {
        for (name, shown) in [
            ("LogFormat", "log_format"),
            ("KMSKeyArn", "kms_key_arn"),
            ("Ipv6AllowedForDualStack", "ipv6_allowed_for_dual_stack"),
            ("MaximumEventAgeInSeconds", "maximum_event_age_in_seconds"),
            ("KAFKA_BOOTSTRAP_SERVERS", "kafka_bootstrap_servers"),
            ("URI", "uri"),
            ("PrincipalOrgID", "principal_org_id"),
        ] {
            assert_eq!(snake(name), shown);
        }
    }
}
