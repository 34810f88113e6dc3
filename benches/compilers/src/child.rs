//! Each question to a driver in a process of its own, which the driver may end.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::compilation::Compilation;
use crate::family::Family;
use crate::vulkan::Device;

/// The argument that makes a process a child. A request follows on its standard input.
pub const ARGUMENT: &str = "--child";

/// RADV's file for the loader, where Mesa's packages put it.
pub fn radv() -> PathBuf {
    let folder = Path::new("/usr/share/vulkan/icd.d");
    let named = folder.join(format!("radeon_icd.{}.json", std::env::consts::ARCH));
    if named.exists() { named } else { folder.join("radeon_icd.json") }
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// The driver's facts about the family.
    Facts,
    /// An entry point of a SPIR-V module to compile, and whether its instructions are wanted as text.
    Compile { words: Vec<u32>, entry: String, isa: bool },
    /// To die as a driver does. Only tests ask for it.
    Abort,
}

/// How a process ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The signal, or `None` after an exit.
    pub signal: Option<i32>,
    /// The last line that it wrote to standard error.
    pub last_words: String,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signal {
            Some(signal) => write!(f, "crashed by signal {signal}")?,
            None => f.write_str("exited without an answer")?,
        }
        if self.last_words.is_empty() { Ok(()) } else { write!(f, " ({})", self.last_words) }
    }
}

/// The result of asking a driver to compile a program.
#[derive(Clone, Debug)]
pub enum Outcome {
    Compiled(Compilation),
    /// The driver returned an error.
    Refused(String),
    /// The driver ended its process.
    Died(Death),
}

/// A driver of which each question is asked in a process of its own.
#[derive(Clone, Debug)]
pub struct Driver {
    /// This program, which is started again for each question.
    pub program: PathBuf,
    /// The file that leads Vulkan's loader to the driver.
    pub file: PathBuf,
    /// The GPU that the driver compiles for.
    pub family: String,
}

/// An answer, or the error that the driver returned.
type Answer<T> = Result<T, String>;

impl Driver {
    /// The facts of the family, or why there are none.
    pub fn facts(&self) -> Result<Family, String> {
        match self.ask::<Family>(&Request::Facts)? {
            Ok(answer) => answer,
            Err(death) => Err(death.to_string()),
        }
    }

    /// Compiles one program, or fails if no child could be started.
    pub fn compile(&self, request: &Request) -> Result<Outcome, String> {
        Ok(match self.ask::<Compilation>(request)? {
            Ok(Ok(compilation)) => Outcome::Compiled(compilation),
            Ok(Err(error)) => Outcome::Refused(error),
            Err(death) => Outcome::Died(death),
        })
    }

    /// Starts a child and returns its answer, or how it died.
    fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<Result<Answer<T>, Death>, String> {
        let request = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        let mut child = Command::new(&self.program)
            .arg(ARGUMENT)
            .env("RADV_FORCE_FAMILY", &self.family)
            // Both names of the variable: loaders before 1.3.207 know only the older one.
            .env("VK_DRIVER_FILES", &self.file)
            .env("VK_ICD_FILENAMES", &self.file)
            .env_remove("VK_ADD_DRIVER_FILES")
            .env("MESA_SHADER_CACHE_DISABLE", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", self.program.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // If the child is dead already, its status says so below.
            let _ = stdin.write_all(&request);
        }
        let output = child.wait_with_output().map_err(|error| format!("a child was lost: {error}"))?;
        if let Ok(answer) = serde_json::from_slice(&output.stdout) {
            return Ok(Ok(answer));
        }
        let words = String::from_utf8_lossy(&output.stderr);
        let last_words = words.lines().last().unwrap_or_default().trim().to_owned();
        Ok(Err(Death { signal: signal(output.status), last_words }))
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// The child's side: reads a request, asks the driver, writes the answer.
pub fn answer() -> Result<(), String> {
    let mut request = Vec::new();
    io::stdin().read_to_end(&mut request).map_err(|error| error.to_string())?;
    let answer = match serde_json::from_slice(&request).map_err(|error| error.to_string())? {
        Request::Facts => serde_json::to_vec(&Device::open().map(|device| device.family)),
        Request::Compile { words, entry, isa } => {
            serde_json::to_vec(&Device::open().and_then(|device| device.compile(&words, &entry, isa)))
        }
        Request::Abort => std::process::abort(),
    };
    io::stdout().write_all(&answer.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
}
