//! Converts structures between JSON and the SDK's types. Each member is declared once, in a row for both directions.
//!
//! A row has the member's name in the API, the SDK's getter and setter, and the default if AWS may leave it out.

use std::collections::HashMap;

use aws_sdk_lambda::error::BuildError;
use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::EndPointType;
use serde_json::{Map, Value, json};

/// A value of the SDK that can be converted to JSON.
pub(in crate::aws) trait ToJson {
    /// The value as JSON; null if it is empty.
    fn to_json(self) -> Value;
}

/// A value of the SDK that can be made from JSON.
pub(in crate::aws) trait FromJson: Sized {
    /// Makes the value; `None` if the JSON has another type or lacks a required member.
    fn from_json(value: &Value) -> Option<Self>;
}

/// The value of a member; `None` if it is absent.
pub(in crate::aws) fn member<T: FromJson>(document: &Value, name: &str) -> Option<T> {
    T::from_json(document.get(name)?)
}

/// A JSON object of the members that are not null; null if there are none.
pub(in crate::aws) fn members<const N: usize>(members: [(&str, Value); N]) -> Value {
    let there = members.into_iter().filter(|(_, value)| !value.is_null());
    let members: Map<_, _> = there.map(|(name, value)| (name.to_owned(), value)).collect();
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}

/// Converts a type of the SDK to JSON, by the rows of its members.
macro_rules! to_json {
    ($source:expr; $( $name:literal: $get:ident, $set:ident $(or $default:literal)?; )*) => {
        $crate::aws::convert::members::members([ $( ($name, {
            let value = $crate::aws::convert::members::ToJson::to_json($source.$get());
            $( let value = if value.is_null() { serde_json::json!($default) } else { value }; )?
            value
        }) ),* ])
    };
}
pub(in crate::aws) use to_json;

/// Sets the members of a JSON document in a builder of the SDK, by rows.
macro_rules! put {
    ($builder:expr, $document:expr; $( $name:literal: $get:ident, $set:ident $(or $default:literal)?; )*) => {
        $builder $( .$set($crate::aws::convert::members::member($document, $name)) )*
    };
}
pub(in crate::aws) use put;

/// Implements both conversions for structures of the SDK, by the rows of their members.
macro_rules! structures {
    ($( $type:ident { $($rows:tt)* } )*) => { $(
        impl $crate::aws::convert::members::ToJson for &aws_sdk_lambda::types::$type {
            fn to_json(self) -> serde_json::Value {
                $crate::aws::convert::members::to_json!(self; $($rows)*)
            }
        }

        impl $crate::aws::convert::members::FromJson for aws_sdk_lambda::types::$type {
            fn from_json(value: &serde_json::Value) -> Option<Self> {
                let builder = $crate::aws::convert::members::put!(Self::builder(), value; $($rows)*);
                $crate::aws::convert::members::Built::built(builder.build())
            }
        }
    )* };
}
pub(in crate::aws) use structures;

/// Implements both conversions for enums of the SDK.
macro_rules! enums {
    ($( $type:ident )*) => { $(
        impl ToJson for &aws_sdk_lambda::types::$type {
            fn to_json(self) -> Value {
                self.as_str().into()
            }
        }

        impl FromJson for aws_sdk_lambda::types::$type {
            fn from_json(value: &Value) -> Option<Self> {
                value.as_str().map(Self::from)
            }
        }
    )* };
}

enums! {
    ApplicationLogLevel
    DirectS3Read
    EventSourceMappingMetric
    EventSourceMappingSystemLogLevel
    EventSourcePosition
    FullDocument
    FunctionResponseType
    FunctionUrlAuthType
    InvokeMode
    KafkaEventSourceMappingConsumptionMode
    KafkaSchemaRegistryAuthType
    KafkaSchemaValidationAttribute
    LogFormat
    SchemaRegistryEventRecordFormat
    SnapStartApplyOn
    SourceAccessType
    SystemLogLevel
    TenantIsolationMode
    UpdateRuntimeOn
}

/// The result of a builder of the SDK. Some builders can fail.
pub(in crate::aws) trait Built<T> {
    /// The value; `None` if the builder lacks a required member.
    fn built(self) -> Option<T>;
}

impl<T> Built<T> for T {
    fn built(self) -> Option<T> {
        Some(self)
    }
}

impl<T> Built<T> for Result<T, BuildError> {
    fn built(self) -> Option<T> {
        self.ok()
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(self) -> Value {
        self.map_or(Value::Null, ToJson::to_json)
    }
}

impl<'a, T> ToJson for &'a [T]
where
    &'a T: ToJson,
{
    fn to_json(self) -> Value {
        if self.is_empty() { Value::Null } else { self.iter().map(ToJson::to_json).collect() }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Option<Self> {
        Some(value.as_array().into_iter().flatten().filter_map(T::from_json).collect())
    }
}

impl ToJson for &str {
    fn to_json(self) -> Value {
        self.into()
    }
}

impl ToJson for &String {
    fn to_json(self) -> Value {
        self.as_str().into()
    }
}

impl FromJson for String {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl ToJson for i32 {
    fn to_json(self) -> Value {
        self.into()
    }
}

impl FromJson for i32 {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_i64()?.try_into().ok()
    }
}

impl ToJson for f64 {
    /// A whole number is written as users write it.
    fn to_json(self) -> Value {
        let whole = format!("{self}").parse::<i64>();
        whole.map_or_else(|_| json!(self), Value::from)
    }
}

impl FromJson for f64 {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

impl ToJson for bool {
    fn to_json(self) -> Value {
        self.into()
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl ToJson for &DateTime {
    fn to_json(self) -> Value {
        self.secs().into()
    }
}

impl FromJson for DateTime {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_i64().map(Self::from_secs)
    }
}

/// The servers of a self-managed event source, by the kind of their addresses.
type Endpoints = HashMap<EndPointType, Vec<String>>;

impl ToJson for &Endpoints {
    fn to_json(self) -> Value {
        let endpoints = self.iter().map(|(kind, servers)| (kind.as_str().to_owned(), json!(servers)));
        Value::Object(endpoints.collect())
    }
}

impl FromJson for Endpoints {
    fn from_json(value: &Value) -> Option<Self> {
        let servers = |(kind, servers): (&String, &Value)| Some((kind.as_str().into(), FromJson::from_json(servers)?));
        value.as_object()?.iter().map(servers).collect()
    }
}
