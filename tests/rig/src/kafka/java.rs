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
const NOTES_CLASSES: &str = "-XX:ArchiveClassesAtExit=";
const USES_CLASSES: &str = "-XX:SharedArchiveFile=";
/// What an empty cluster begins with, the same for every cluster and broker.
pub(super) const BOOTSTRAP: &str = "bootstrap.checkpoint";
/// Serial collection, for there are few cores and many brokers.
const FLAGS: [&str; 3] = ["-Xms128m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];

/// What Java is told to spare.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thrift {
    /// Little memory and a quick start: the second compiler would work longer than most tests do.
    Quick,
    /// Everything for those who measure.
    Lasting,
}

/// Java, and the folder with everything of Kafka.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) java: PathBuf,
    folder: PathBuf,
    thrift: Thrift,
    /// Whether the classes of a broker are noted as it ends, instead of read from the last note.
    notes: bool,
}

impl Programs {
    /// Fetches what is not there yet; tests that start at once wait for one of them to do it.
    pub(super) fn new(thrift: Thrift) -> Result<Self> {
        let java = found_or_installed("Java 17", &["openjdk-17-jre-headless"], java)?;
        let mut version = DefaultHasher::new();
        POM.hash(&mut version);
        let folder = cache()?.join(format!("kafka-{:016x}", version.finish()));
        let programs = Self { java, folder, thrift, notes: false };
        let _lock = lock("kafka")?;
        if !programs.folder.exists() {
            programs.fetch()?;
        }
        Ok(programs)
    }

    /// The arguments with which Java runs a class of Kafka.
    pub(super) fn arguments(&self, class: &str, rest: &[&Path]) -> Vec<OsString> {
        let thrift: &[&str] = match self.thrift {
            Thrift::Quick => &["-Xmx384m", "-XX:TieredStopAtLevel=1"],
            Thrift::Lasting => &["-Xmx1g"],
        };
        let mut arguments: Vec<OsString> = FLAGS.iter().chain(thrift).map(OsString::from).collect();
        let (flag, archive) =
            if self.notes { (NOTES_CLASSES, self.noted()) } else { (USES_CLASSES, self.classes()) };
        arguments.push([OsString::from(flag), archive.into()].into_iter().collect());
        arguments.extend(["-cp".into(), self.folder.join("jars/*").into(), class.into()]);
        arguments.extend(rest.iter().map(OsString::from));
        arguments
    }

    /// A file from which every log folder begins.
    pub(super) fn bootstrap(&self) -> PathBuf {
        self.folder.join(BOOTSTRAP)
    }

    /// What Java knows of Kafka's classes from an earlier run, which halves the processor time of a start. Without the file, or
    /// with another Java's, it reads the classes as usual.
    pub(super) fn classes(&self) -> PathBuf {
        let mut java = DefaultHasher::new();
        // Another place of the jars counts as other jars.
        (&self.folder, &self.java, self.java.metadata().and_then(|java| java.modified()).ok())
            .hash(&mut java);
        self.folder.join(format!("classes-{:016x}.jsa", java.finish()))
    }

    /// Where they are noted while that is not finished.
    pub(super) fn noted(&self) -> PathBuf {
        self.classes().with_extension("new")
    }

    /// The same programs, whose broker notes its classes when it ends.
    pub(super) fn noting(&self) -> Self {
        Self { notes: true, ..self.clone() }
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
        let staged = Self { folder: staging, ..self.clone() };
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
