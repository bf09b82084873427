//! The rules by which a package is built.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Rules that select the files of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Globs of the files to include; empty for all.
    pub include: Vec<String>,
    /// Files from other folders that are added.
    pub include_from: Vec<IncludeFrom>,
    /// Patterns in gitignore syntax of the files to exclude.
    pub exclude: Vec<String>,
    /// The treatment of hidden names at the root.
    pub hidden: Hidden,
    /// The treatment of symbolic links.
    pub links: Links,
    /// The treatment of a ready archive.
    pub archives: Archives,
    /// The effort to make the package small.
    pub compression: Compression,
    /// Files that no rule can include: the configuration files of this run.
    pub never: BTreeSet<PathBuf>,
    /// The name of a single file in its package.
    pub single: Single,
    /// The folder of the package for all files; empty for the root.
    pub into: String,
    /// The paths at which the function mounts file systems. A link to them stays a link.
    pub mounts: Vec<String>,
    /// The folder of the checkout, as a real path: a link out of it is an error unless links are followed; empty for no
    /// check.
    pub checkout: PathBuf,
}

/// The name of a single file in its package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Single {
    /// Its own name.
    #[default]
    Itself,
    /// This name.
    Called(String),
    /// `bootstrap` if the file is a program, else its own name. Runtimes for compiled languages start `bootstrap`.
    Program {
        /// Whether a script counts as a program.
        script: bool,
    },
}

/// Files from another folder that are added to the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludeFrom {
    /// The directory of the files, or a single file.
    pub from: PathBuf,
    /// The glob that selects files, relative to the directory.
    pub glob: String,
    /// The folder of the package for the files, with `/` between its parts; empty for the root.
    pub to: String,
}

/// The treatment of names at the package root that begin with a dot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hidden {
    /// Leave them out.
    #[default]
    Skip,
    /// Include them.
    Take,
}

/// The treatment of a ready archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Archives {
    /// Send it as it is.
    #[default]
    Keep,
    /// Pack its files again, so that the same contents give the same bytes.
    Repack,
}

/// The effort to make a package small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// The least time.
    Fast,
    /// Some time.
    #[default]
    Default,
    /// The smallest package.
    Best,
}

/// The treatment of symbolic links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Links {
    /// Package links as links. A link out of the package root is an error.
    #[default]
    Keep,
    /// Package the target of a link, also outside of the package root.
    Follow,
}
