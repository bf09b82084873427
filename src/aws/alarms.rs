//! Reads alarms and metrics of `CloudWatch`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Session;
use super::fault::{self, Call, Failed};
use super::signed::{Protocol, Service};
use crate::release::Counted;

/// `CloudWatch`, with the JSON form of its API.
static CLOUDWATCH: Service =
    Service { id: "CloudWatch", host: "monitoring", protocol: Protocol::Json10("GraniteServiceVersion20100801") };

/// The period of a metric, in seconds. Lambda sends its metrics every minute.
const PERIOD: u64 = 60;

impl Session<'_> {
    /// The states of alarms by name. An alarm that does not exist is absent.
    pub(super) async fn alarms(&self, names: &[String]) -> Result<BTreeMap<String, String>, Failed> {
        let input = json!({
            "AlarmNames": names,
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "MaxRecords": 100,
        });
        let answer = self.watch("DescribeAlarms", "cloudwatch:DescribeAlarms", input).await?;
        let all = ["MetricAlarms", "CompositeAlarms"].iter().filter_map(|kind| answer[*kind].as_array()).flatten();
        let state =
            |alarm: &Value| Some((alarm["AlarmName"].as_str()?.to_owned(), alarm["StateValue"].as_str()?.to_owned()));
        Ok(all.filter_map(state).collect())
    }

    /// The invocations of a version through an alias since a time, which is given since the Unix epoch.
    pub(super) async fn counted(&self, alias: &str, version: &str, since: Duration) -> Result<Counted, Failed> {
        let function = self.live.as_ref().map_or(&*self.function, |live| live.name());
        let dimension = |name: &str, value: &str| json!({ "Name": name, "Value": value });
        let dimensions = json!([
            dimension("FunctionName", function),
            dimension("Resource", &format!("{function}:{alias}")),
            dimension("ExecutedVersion", version),
        ]);
        let query = |id: &str, metric: &str| {
            let metric = json!({ "Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions });
            json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": PERIOD, "Stat": "Sum" } })
        };
        let start = since.as_secs() / PERIOD * PERIOD;
        let input = json!({
            "MetricDataQueries": [query("invocations", "Invocations"), query("errors", "Errors")],
            "StartTime": start,
            "EndTime": super::clock::now().as_secs() + PERIOD,
        });
        let answer = self.watch("GetMetricData", "cloudwatch:GetMetricData", input).await?;
        let sum = |id: &str| {
            let results = answer["MetricDataResults"].as_array().into_iter().flatten();
            let values = results.filter(|result| result["Id"] == id).filter_map(|result| result["Values"].as_array());
            values.flatten().filter_map(Value::as_f64).sum()
        };
        Ok(Counted { invocations: sum("invocations"), errors: sum("errors") })
    }

    async fn watch(&self, operation: &'static str, action: &'static str, input: Value) -> Result<Value, Failed> {
        let call = Call { action, resource: "*" };
        let sent = self.connection.call(&CLOUDWATCH, operation, input);
        self.bounded(&format!("`{action}`"), sent).await?.map_err(|error| fault::of(&error, &call))
    }
}
