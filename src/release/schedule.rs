//! The schedule by which a version gets the traffic of an alias, and when it is at fault.
//!
//! Time is an argument: the time since the shift began.

use std::fmt;
use std::time::Duration;

/// The longest time between two looks at alarms and errors.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// A share of traffic, in percent: from 1 to 99.
pub(crate) type Percent = u8;

/// The schedule by which a version gets the traffic of an alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    /// The shares of the new version, ascending. After the last one it gets all traffic.
    pub steps: Vec<Percent>,
    /// How long each share lasts.
    pub interval: Duration,
    /// The `CloudWatch` alarms that end the shift.
    pub alarms: Vec<String>,
    /// The errors that end the shift; absent if errors are not counted.
    pub errors: Option<ErrorLimit>,
}

/// How many invocations of the new version may fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ErrorLimit {
    /// The highest rate, in percent of the invocations.
    pub rate: f64,
    /// With fewer invocations, the rate says nothing.
    pub min_invocations: u64,
}

impl Schedule {
    /// The schedule that `CodeDeploy` has under this name, with or without its prefix; `None` for an unknown name. A
    /// schedule without steps moves all traffic at once.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix("CodeDeployDefault.Lambda").unwrap_or(name);
        let minutes = |text: &str| {
            let digits = text.strip_suffix("Minutes").or_else(|| text.strip_suffix("Minute"))?;
            number(digits).filter(|minutes| *minutes <= 2880)
        };
        let percent = |text: &str| {
            number(text).and_then(|number| Percent::try_from(number).ok()).filter(|percent| (1..=99).contains(percent))
        };
        let (steps, minutes) = if name == "AllAtOnce" {
            (Vec::new(), 0)
        } else if let Some(rest) = name.strip_prefix("Canary") {
            let (first, rest) = rest.split_once("Percent")?;
            (vec![percent(first)?], minutes(rest)?)
        } else {
            let (each, rest) = name.strip_prefix("Linear")?.split_once("PercentEvery")?;
            let each = percent(each)?;
            ((each..100).step_by(each.into()).collect(), minutes(rest)?)
        };
        Some(Self { steps, interval: Duration::from_secs(minutes * 60), alarms: Vec::new(), errors: None })
    }

    /// Whether something can end the shift.
    pub(crate) fn is_watched(&self) -> bool {
        !self.alarms.is_empty() || self.errors.is_some()
    }
}

/// A whole number without a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.steps.iter().map(|share| format!("{share} %")).collect();
        let each = if self.steps.len() > 1 { " each" } else { "" };
        write!(out, "{} for {}{each}, then all", steps.join(", "), Lasting(self.interval))?;
        let alarms: Vec<_> = self.alarms.iter().map(|alarm| format!("`{alarm}`")).collect();
        if !alarms.is_empty() {
            write!(out, "; back on an alarm of {}", alarms.join(", "))?;
        }
        if let Some(ErrorLimit { rate, min_invocations }) = self.errors {
            write!(out, "; back on more than {rate} % errors of at least {min_invocations} invocations")?;
        }
        Ok(())
    }
}

/// A duration in words.
struct Lasting(Duration);

impl fmt::Display for Lasting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds if seconds > 0 && seconds % 60 == 0 => write!(out, "{} min", seconds / 60),
            seconds => write!(out, "{seconds} s"),
        }
    }
}

/// What a shift does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Gives the new version this share.
    Give(Percent),
    /// Waits, then looks at alarms and errors.
    Wait(Duration),
    /// Gives the new version all traffic.
    Finish,
}

/// A shift under way.
#[derive(Debug)]
pub(crate) struct Shift<'s> {
    schedule: &'s Schedule,
    /// The number of steps that were done.
    done: usize,
    /// When the last of them was done.
    since: Duration,
}

impl<'s> Shift<'s> {
    /// Begins, or goes on from the share that the new version has: that share lasts for a whole interval once more.
    pub(crate) fn begin(schedule: &'s Schedule, share: f64, now: Duration) -> Self {
        let done = schedule.steps.iter().take_while(|step| f64::from(**step) <= share * 100.0 + 0.001).count();
        Self { schedule, done, since: now }
    }

    /// What to do at this time.
    pub(crate) fn next(&self, now: Duration) -> Next {
        let left = (self.since + self.schedule.interval).saturating_sub(now);
        if self.done > 0 && !left.is_zero() {
            return Next::Wait(left.min(LOOK_EVERY));
        }
        self.schedule.steps.get(self.done).map_or(Next::Finish, |share| Next::Give(*share))
    }

    /// Notes that the new version got the next share.
    pub(crate) fn given(&mut self, now: Duration) {
        self.done += 1;
        self.since = now;
    }
}

/// The invocations of the new version since the shift began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counted {
    /// All of them.
    pub invocations: f64,
    /// Those that failed.
    pub errors: f64,
}

impl ErrorLimit {
    /// Why the shift must end; `None` if it may go on.
    pub(crate) fn problem(&self, counted: Counted) -> Option<String> {
        let Counted { invocations, errors } = counted;
        #[expect(clippy::cast_precision_loss, reason = "nobody asks for so many invocations")]
        let enough = invocations > 0.0 && invocations >= self.min_invocations as f64;
        let rate = errors / invocations * 100.0;
        (enough && rate > self.rate)
            .then(|| format!("{errors} of {invocations} invocations failed, {rate:.1} %: at most {} % may", self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn schedules_have_the_names_of_codedeploy() {
        for (name, steps, minutes) in [
            ("Canary10Percent5Minutes", &[10][..], 5),
            ("Canary10Percent10Minutes", &[10], 10),
            ("Canary10Percent15Minutes", &[10], 15),
            ("CodeDeployDefault.LambdaCanary10Percent30Minutes", &[10], 30),
            ("Linear10PercentEvery1Minute", &[10, 20, 30, 40, 50, 60, 70, 80, 90], 1),
            ("CodeDeployDefault.LambdaLinear10PercentEvery2Minutes", &[10, 20, 30, 40, 50, 60, 70, 80, 90], 2),
            ("Linear10PercentEvery3Minutes", &[10, 20, 30, 40, 50, 60, 70, 80, 90], 3),
            ("Linear10PercentEvery10Minutes", &[10, 20, 30, 40, 50, 60, 70, 80, 90], 10),
            ("Linear40PercentEvery1Minute", &[40, 80], 1),
            ("Linear99PercentEvery1Minute", &[99], 1),
            ("AllAtOnce", &[], 0),
            ("CodeDeployDefault.LambdaAllAtOnce", &[], 0),
        ] {
            let schedule = Schedule::named(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((&schedule.steps[..], schedule.interval), (steps, MINUTE * minutes), "{name}");
        }
        for name in [
            "",
            "Canary",
            "Canary10Percent",
            "Canary0Percent5Minutes",
            "Canary100Percent5Minutes",
            "Canary10Percent5",
            "Canary+1Percent5Minutes",
            "Canary10Percent99999999999999999999Minutes",
            "Linear0PercentEvery1Minute",
            "Linear10PercentEveryMinute",
            "canary10percent5minutes",
            "CodeDeployDefault.OneAtATime",
        ] {
            assert_eq!(Schedule::named(name), None, "{name}");
        }
    }

    /// The moves of a shift with their times, for a clock that goes as long as the shift waits.
    fn played(schedule: &Schedule, share: f64) -> Vec<(u64, Option<Percent>)> {
        let (mut now, mut moves, mut looks) = (Duration::ZERO, Vec::new(), 0);
        let mut shift = Shift::begin(schedule, share, now);
        loop {
            match shift.next(now) {
                Next::Give(share) => {
                    moves.push((now.as_secs(), Some(share)));
                    shift.given(now);
                }
                Next::Wait(time) => {
                    assert!(time > Duration::ZERO && time <= LOOK_EVERY);
                    looks += 1;
                    assert!(looks < 10_000);
                    now += time;
                }
                Next::Finish => {
                    moves.push((now.as_secs(), None));
                    return moves;
                }
            }
        }
    }

    #[test]
    fn each_share_lasts_for_its_interval() {
        let canary = Schedule::named("Canary10Percent30Minutes").unwrap();
        assert_eq!(played(&canary, 0.0), [(0, Some(10)), (1800, None)]);
        let steps = Schedule { steps: vec![5, 25, 50], interval: Duration::from_secs(100), ..canary.clone() };
        assert_eq!(played(&steps, 0.0), [(0, Some(5)), (100, Some(25)), (200, Some(50)), (300, None)]);
        let at_once = Schedule { interval: Duration::ZERO, ..steps.clone() };
        assert_eq!(played(&at_once, 0.0), [(0, Some(5)), (0, Some(25)), (0, Some(50)), (0, None)]);
        let none = Schedule { steps: Vec::new(), ..steps };
        assert_eq!(played(&none, 0.0), [(0, None)]);
    }

    #[test]
    fn a_shift_goes_on_where_it_stopped() {
        let schedule =
            Schedule { steps: vec![5, 29, 50], interval: Duration::from_secs(100), alarms: Vec::new(), errors: None };
        for (share, moves) in [
            (0.01, vec![(0, Some(5)), (100, Some(29)), (200, Some(50)), (300, None)]),
            (0.05, vec![(100, Some(29)), (200, Some(50)), (300, None)]),
            (0.2, vec![(100, Some(29)), (200, Some(50)), (300, None)]),
            (0.29, vec![(100, Some(50)), (200, None)]),
            (0.9, vec![(100, None)]),
        ] {
            assert_eq!(played(&schedule, share), moves, "{share}");
        }
    }

    #[test]
    fn errors_count_when_there_are_enough_invocations() {
        let limit = ErrorLimit { rate: 1.0, min_invocations: 20 };
        for (invocations, errors, ends) in [
            (0.0, 0.0, false),
            (19.0, 19.0, false),
            (20.0, 0.0, false),
            (100.0, 1.0, false),
            (100.0, 2.0, true),
            (20.0, 1.0, true),
        ] {
            assert_eq!(limit.problem(Counted { invocations, errors }).is_some(), ends, "{errors} of {invocations}");
        }
        let none = ErrorLimit { rate: 0.0, min_invocations: 0 };
        assert_eq!(none.problem(Counted::default()), None);
        assert!(none.problem(Counted { invocations: 1.0, errors: 1.0 }).is_some());
    }

    #[test]
    fn a_schedule_in_words() {
        let schedule = Schedule {
            steps: vec![5, 25],
            interval: Duration::from_secs(90),
            alarms: vec!["a".to_owned(), "b".to_owned()],
            errors: Some(ErrorLimit { rate: 0.5, min_invocations: 20 }),
        };
        assert_eq!(
            schedule.to_string(),
            "5 %, 25 % for 90 s each, then all; back on an alarm of `a`, `b`; back on more than 0.5 % errors of at least 20 invocations"
        );
        assert_eq!(Schedule::named("Canary10Percent5Minutes").unwrap().to_string(), "10 % for 5 min, then all");
    }
}
