//! The terminal, borrowed: raw mode and the other screen while the program runs, and everything put back on
//! every way out — a normal end, an error, a signal, a panic, `^z`.

use std::io::{self, IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    self, DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, Event, KeyCode, KeyEventKind, KeyModifiers,
};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

use super::TuiError;

/// Keep the window's title, and take the kept one (XTWINOPS 22 and 23 of xterm).
const PUSH_TITLE: &str = "\u{1b}[22;2t";
const POP_TITLE: &str = "\u{1b}[23;2t";

/// Whether the terminal is ours now. Global because the panic hook is.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours; dropping it gives it back.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<io::Stdout>>,
    /// The title as it was set last.
    title: String,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn take() -> Result<Self, TuiError> {
        if !stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(TuiError::NoTerminal);
        }
        enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(stdout())).inspect_err(|_| give_back())?;
        Ok(Self { terminal, title: String::new() })
    }

    /// Draws a frame, which a terminal that can shows at once and whole.
    pub(super) fn draw(&mut self, picture: impl FnOnce(&mut Frame)) -> Result<(), TuiError> {
        queue!(stdout(), BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(picture).map(drop);
        execute!(stdout(), EndSynchronizedUpdate)?;
        Ok(drawn?)
    }

    /// Sets the window's title, if it is another one.
    pub(super) fn set_title(&mut self, title: String) -> Result<(), TuiError> {
        if title != self.title {
            execute!(stdout(), SetTitle(&title))?;
            self.title = title;
        }
        Ok(())
    }

    /// Stops the process as `^z` does, and takes the terminal again when the shell continues it.
    pub(super) fn suspend(&mut self) -> Result<(), TuiError> {
        give_back();
        #[cfg(unix)]
        {
            let pid = std::process::id().to_string();
            std::process::Command::new("kill").args(["-TSTP", &pid]).status()?;
        }
        enter()?;
        self.title.clear();
        self.redraw()
    }

    /// Has the next frame drawn whole. `Terminal::clear` would ask the terminal for its cursor, and a terminal that is
    /// busy or far away may not answer in time.
    pub(super) fn redraw(&mut self) -> Result<(), TuiError> {
        let area = self.terminal.size()?.into();
        Ok(self.terminal.resize(area)?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> Result<(), TuiError> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    // The title as it is, to be put back at the end.
    execute!(stdout(), Print(PUSH_TITLE)).inspect_err(|_| give_back())?;
    let entered = execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        EnableMouseCapture,
        cursor::Hide
    );
    entered.inspect_err(|_| give_back())?;
    Ok(())
}

/// Puts everything back; safe to call at any time and more than once.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // There is nobody left to tell if this fails.
        let _ = execute!(
            stdout(),
            DisableMouseCapture,
            DisableFocusChange,
            DisableBracketedPaste,
            EndSynchronizedUpdate,
            LeaveAlternateScreen,
            Print(POP_TITLE),
            cursor::Show
        );
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// Reads a line that is typed without showing it; ends with the program's end on `^c`.
pub fn read_hidden_line() -> io::Result<String> {
    enable_raw_mode()?;
    let line = hidden_line();
    disable_raw_mode()?;
    line
}

fn hidden_line() -> io::Result<String> {
    let mut line = String::new();
    loop {
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match key.code {
            KeyCode::Enter => return Ok(line),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
            }
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => line.clear(),
            KeyCode::Char(c) => line.push(c),
            KeyCode::Backspace => {
                line.pop();
            }
            _ => {}
        }
    }
}

/// From now on a panic of this thread puts the terminal back before it says anything. Panics of workers go to
/// the log: the screens go on without that answer.
pub(super) fn install_panic_hook(log_file: PathBuf) {
    let screens = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        tracing::error!("panic: {info}");
        if std::thread::current().id() != screens {
            if !TAKEN.load(Ordering::SeqCst) {
                before(info);
            }
            return;
        }
        give_back();
        let _ = writeln!(
            io::stderr(),
            "Segue has made a mistake and had to stop. Your music and your queue are safe."
        );
        let _ = writeln!(io::stderr(), "What happened is in {}.", log_file.display());
        before(info);
    }));
}
