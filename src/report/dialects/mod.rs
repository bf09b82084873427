//! The dialects, one file each, and the table of which CI has which.

mod appveyor;
pub(super) mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod drone;
pub(super) mod github;
mod gitlab;
mod plain;
pub(super) mod teamcity;
mod travis;

use super::checkout::Checkout;
use super::dialect::{Board, Dialect, Voice};
use crate::host::{Ci, Host};

/// The dialect of a CI. To add one, add a file beside this one and a line here. `nonce` is an unpredictable text.
pub(super) fn of(ci: Ci, host: &Host, nonce: &str) -> Dialect {
    let checkout = Checkout::of(ci, host);
    match ci {
        Ci::GitHub | Ci::Gitea => Dialect {
            voice: Box::new(github::Voice { checkout }),
            board: Box::new(github::Board::new(host, nonce)),
            mask: github::mask(host),
        },
        Ci::GitLab => only_voice(gitlab::Voice::default()),
        Ci::Travis => only_voice(travis::Voice::default()),
        Ci::Azure => Dialect {
            voice: Box::new(azure::Voice { checkout }),
            board: Box::new(azure::Board::new(host, nonce)),
            mask: None,
        },
        Ci::Buildkite => Dialect {
            voice: Box::new(buildkite::Voice),
            board: Box::new(buildkite::Board::new(host)),
            mask: Some(buildkite::mask),
        },
        Ci::TeamCity => {
            Dialect { voice: Box::new(teamcity::Voice::new(checkout)), board: Box::new(teamcity::Board), mask: None }
        }
        Ci::CircleCi => only_board(circleci::Board::new(host)),
        Ci::Bitbucket => only_board(bitbucket::Board::new(host, checkout)),
        Ci::Drone => only_board(drone::Board::new(host)),
        Ci::AppVeyor => only_board(appveyor::Board::new(host, checkout)),
        Ci::Woodpecker | Ci::CodeBuild | Ci::Jenkins | Ci::Generic => only_voice(plain::Voice::InCi),
        Ci::None => only_voice(plain::Voice::Alone),
    }
}

fn only_voice(voice: impl Voice + 'static) -> Dialect {
    Dialect { voice: Box::new(voice), board: Box::new(plain::Board), mask: None }
}

fn only_board(board: impl Board + 'static) -> Dialect {
    Dialect { voice: Box::new(plain::Voice::InCi), board: Box::new(board), mask: None }
}
