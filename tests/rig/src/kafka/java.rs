//! Kafka's own programs: fetched once, kept where cargo builds.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::machine::{cache, found_or_installed, lock, on_path};

/// What Kafka 4 runs on at least.
const JAVA_MIN: u32 = 17;
/// Which Kafka, and which version.
const POM: &str = include_str!("../../pom.xml");
/// What an empty cluster begins with, the same for every cluster and broker.
pub(super) const BOOTSTRAP: &str = "bootstrap.checkpoint";
/// Fits a heap of 384 MB; serial collection, for there are few cores and many brokers.
const FLAGS: [&str; 4] =
    ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];

/// Java, and the folder with everything of Kafka.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) java: PathBuf,
    folder: PathBuf,
}

impl Programs {
    /// Fetches what is not there yet; tests that start at once wait for one of them to do it.
    pub(super) fn new() -> Result<Self> {
        let java = found_or_installed("Java 17", &["openjdk-17-jre-headless"], java)?;
        let mut version = DefaultHasher::new();
        POM.hash(&mut version);
        let folder = cache()?.join(format!("kafka-{:016x}", version.finish()));
        let programs = Self { java, folder };
        let _lock = lock("kafka")?;
        if !programs.folder.exists() {
            programs.fetch()?;
        }
        Ok(programs)
    }

    /// The arguments with which Java runs a class of Kafka.
    pub(super) fn arguments(&self, class: &str, rest: &[&Path]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
        arguments.extend(["-cp".into(), self.folder.join("jars/*").into(), class.into()]);
        arguments.extend(rest.iter().map(OsString::from));
        arguments
    }

    /// A file from which every log folder begins.
    pub(super) fn bootstrap(&self) -> PathBuf {
        self.folder.join(BOOTSTRAP)
    }

    /// Makes the folder under another name first: once it is there it is whole.
    fn fetch(&self) -> Result<()> {
        let mvn = found_or_installed("Maven", &["maven"], || on_path("mvn"))?;
        eprintln!("fetching Kafka, once");
        let staging = self.folder.with_extension("new");
        let _ = fs::remove_dir_all(&staging);
        fs::create_dir_all(&staging)?;
        fs::write(staging.join("pom.xml"), POM)?;
        let mut maven = Command::new(mvn);
        maven.args(["--batch-mode", "--quiet", "dependency:copy-dependencies"]).current_dir(&staging);
        demand_success(&mut maven, "Maven cannot fetch Kafka")?;
        let staged = Self { java: self.java.clone(), folder: staging };
        staged.format_one()?;
        fs::rename(&staged.folder, &self.folder).context("what was fetched cannot be put in place")
    }

    /// Has Kafka's own tool format a folder, and keeps of it what is the same for all. The rest is two lines of text, and a
    /// second of Java for every broker of every test would add up.
    fn format_one(&self) -> Result<()> {
        let logs = self.folder.join("formatted");
        let settings = self.folder.join("format.properties");
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:9093\n\
             controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n\
             log.dirs={}\n",
            logs.display()
        );
        fs::write(&settings, text)?;
        let mut tool = Command::new(&self.java);
        let words = ["format", "--cluster-id", "cafe-rig-format-only-0", "--config"].map(Path::new);
        tool.args(self.arguments("kafka.tools.StorageTool", &[&words[..], &[&settings]].concat()));
        demand_success(&mut tool, "Kafka cannot format a folder")?;
        fs::copy(logs.join(BOOTSTRAP), self.bootstrap()).context("Kafka's format has changed")?;
        Ok(())
    }
}

fn demand_success(command: &mut Command, what: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| what.to_owned())?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&said).trim());
    Ok(())
}

/// A Java that is new enough: `JAVA_HOME`'s, the PATH's, or one of Debian's.
fn java() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let mut candidates =
        home.into_iter().chain(on_path("java")).chain(installed.map(|it| it.path().join("bin/java")));
    candidates.find(|java| version(java).is_some_and(|version| version >= JAVA_MIN))
}

/// 17 of `openjdk version "17.0.15" 2025-04-15`.
fn version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, version) = said.split_once('"')?;
    version.split(['.', '"', '-']).next()?.parse().ok()
}
