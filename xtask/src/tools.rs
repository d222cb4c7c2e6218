//! Cargo's helpers, each at a version that is known to work.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::shell;

/// A program of the registry that cargo builds for us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    /// How it is asked for its version.
    says_version: &'static [&'static str],
}

/// Licences, duplicate versions, advisories.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", says_version: &["--version"] };
/// Unused dependencies. cargo-shear knows more and takes longer to build, because it brings rust-analyzer's parser.
pub(crate) const MACHETE: Tool =
    Tool { name: "cargo-machete", version: "0.9.2", says_version: &["--version"] };

/// Makes small changes to the source, and sees whether a test fails.
pub(crate) const MUTANTS: Tool =
    Tool { name: "cargo-mutants", version: "27.1.0", says_version: &["mutants", "--version"] };

impl Tool {
    /// Where it is: on the PATH or under `target/tools`, if the version is right; else it is built there, once (one to two
    /// minutes on two cores).
    pub(crate) fn path(self) -> Result<PathBuf> {
        let tools = shell::target().join("tools");
        let ours = tools.join("bin").join(self.name);
        for candidate in [PathBuf::from(self.name), ours.clone()] {
            if self.is_at(&candidate) {
                return Ok(candidate);
            }
        }
        self.install(&tools)?;
        Ok(ours)
    }

    fn is_at(self, path: &PathBuf) -> bool {
        let output = Command::new(path).args(self.says_version).stderr(Stdio::null()).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(self.version))
    }

    /// A tool that runs for seconds is not worth minutes of optimization.
    fn install(self, tools: &PathBuf) -> Result<()> {
        println!("building {} {}, once", self.name, self.version);
        let build = tools.join("build");
        let installed = shell::run(
            shell::cargo(["install", "--quiet", "--locked", "--root"])
                .arg(tools)
                .arg("--target-dir")
                .arg(&build)
                .arg(format!("{}@{}", self.name, self.version))
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        )?;
        ensure!(installed, "{} {} cannot be built; is the registry reachable?", self.name, self.version);
        std::fs::remove_dir_all(build).ok();
        Ok(())
    }
}
