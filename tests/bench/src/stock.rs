//! The peer: the same component in the engine's own host, wasmtime-wasi, as its documentation sets it up.
//!
//! It has a directory preopened, no policy, and no limits unless [`Settings`] say so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench::{Sum, Work};
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, Store, StoreContextMut};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::Outcome;

const OBSERVE: &str = "ringfence:beat/observe@0.1.0";
// How often the clock of epochs ticks, and the yield by fuel: what a deadline of a tenth of a second needs.
const TICK: Duration = Duration::from_millis(10);
const FUEL_BETWEEN_YIELDS: u64 = 1_000_000;

/// What of the engine is on, and how files are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Instructions are counted.
    pub fuel: bool,
    /// A clock interrupts the guest.
    pub epochs: bool,
    /// Floats that are no number have one form.
    pub canonical_nan: bool,
    /// File calls run where the guest runs, not on a thread pool.
    pub on_this_thread: bool,
}

/// A component in the stock host.
pub struct Stock {
    pre: InstancePre<State>,
    settings: Settings,
    clock: Option<Clock>,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    config: String,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl Stock {
    /// Compiles `bytes`.
    ///
    /// # Errors
    /// When the engine refuses them.
    pub fn new(bytes: &[u8], settings: Settings) -> Outcome<Self> {
        let mut config = Config::new();
        config
            .consume_fuel(settings.fuel)
            .epoch_interruption(settings.epochs)
            .cranelift_nan_canonicalization(settings.canonical_nan);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        link_own(&mut linker)?;
        let pre = linker.instantiate_pre(&Component::from_binary(&engine, bytes)?)?;
        let clock = settings.epochs.then(|| Clock::start(engine));
        Ok(Self {
            pre,
            settings,
            clock,
        })
    }

    /// Does `work` in `root`; the sum of what it saw.
    ///
    /// # Errors
    /// When the component does not answer.
    pub async fn work(&self, work: &Work, root: &Path) -> Outcome<Sum> {
        let mut store = self.store(work, root.to_owned())?;
        let instance = self.pre.instantiate_async(&mut store).await?;
        let interface = instance.get_export_index(&mut store, None, OBSERVE);
        let function = instance
            .get_export_index(&mut store, interface.as_ref(), "observe")
            .and_then(|index| instance.get_func(&mut store, index))
            .ok_or("the guest is no sensor")?;
        let mut results = [Val::Bool(false)];
        function.call_async(&mut store, &[], &mut results).await?;
        let [result] = results;
        Ok(serde_json::from_str(&detail(result)?)?)
    }

    fn store(&self, work: &Work, root: PathBuf) -> Outcome<Store<State>> {
        let mut wasi = WasiCtxBuilder::new();
        // First: a directory takes the setting along when it is opened.
        wasi.allow_blocking_current_thread(self.settings.on_this_thread);
        wasi.preopened_dir(root, "/", FsPerms::ReadWrite)?;
        let state = State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            config: serde_json::to_string(work)?,
        };
        let mut store = Store::new(self.pre.engine(), state);
        if self.settings.fuel {
            store.set_fuel(1 << 50)?;
            store.fuel_async_yield_interval(Some(FUEL_BETWEEN_YIELDS))?;
        }
        if self.clock.is_some() {
            store.epoch_deadline_async_yield_and_update(1);
        }
        Ok(store)
    }
}

/// The interfaces that every plugin imports, besides WASI.
fn link_own(linker: &mut Linker<State>) -> Outcome<()> {
    linker
        .instance("ringfence:beat/config@0.1.0")?
        .func_wrap("get", |cx: StoreContextMut<'_, State>, (): ()| {
            Ok((cx.data().config.clone(),))
        })?;
    linker
        .instance("ringfence:beat/log@0.1.0")?
        .func_new("write", |_, _, _, _| Ok(()))?;
    Ok(())
}

fn detail(answer: Val) -> Outcome<String> {
    if let Val::Result(Ok(Some(observation))) = answer
        && let Val::Record(fields) = *observation
        && let Some((_, Val::String(detail))) =
            fields.into_iter().find(|(name, _)| name == "detail")
    {
        return Ok(detail);
    }
    Err("the guest refuses".into())
}

/// Advances an engine's epoch until it is dropped.
struct Clock(Arc<AtomicBool>);

impl Clock {
    fn start(engine: Engine) -> Self {
        let goes = Arc::new(AtomicBool::new(true));
        let going = Arc::clone(&goes);
        std::thread::spawn(move || {
            while going.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                engine.increment_epoch();
            }
        });
        Self(goes)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
