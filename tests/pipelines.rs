//! Compiled pipelines are kept in a file from one device to the next, and a file that is not ours does no harm.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use batchinv::gpu::GpuInverter;
use batchinv::{Inverter, Stack};
use common::cases::{self, Random};
use common::engines;

#[test]
fn kept_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pipelines");
    let elements = cases::dominant::<f32>(5, &mut Random::new(1));
    for adapter in engines::adapters("pipelines/kept_in_a_file") {
        let name = adapter.gpu.facts().name.clone();
        let open = || GpuInverter::open(Some(&name)).unwrap();
        let invert = |gpu: GpuInverter| {
            let inverses = Inverter::with_gpu(gpu).invert(Stack::new(&elements, 5).unwrap()).unwrap();
            inverses.stack().elements().to_vec()
        };
        let first = open();
        if !first.keep_pipelines(&file).unwrap() {
            continue;
        }
        let wanted = invert(first.clone());
        assert!(!file.exists(), "the file was written before it was asked for");
        first.save_pipelines().unwrap();
        assert!(file.metadata().unwrap().len() > 29);

        let again = open();
        assert!(again.keep_pipelines(&file).unwrap());
        assert_eq!(invert(again.clone()), wanted);
        // A second file is refused.
        assert!(again.keep_pipelines(&folder.path().join("other")).is_err());

        std::fs::write(&file, b"batchinv pipelines 1\nnot what was saved").unwrap();
        let damaged = open();
        assert!(damaged.keep_pipelines(&file).unwrap());
        assert_eq!(invert(damaged.clone()), wanted);
        damaged.save_pipelines().unwrap();
        assert!(file.metadata().unwrap().len() > 40);

        // Files that cannot be read or written.
        assert!(open().keep_pipelines(folder.path()).is_err());
        let nowhere = open();
        assert!(nowhere.keep_pipelines(&folder.path().join("no/such/folder")).unwrap());
        invert(nowhere.clone());
        assert!(nowhere.save_pipelines().is_err());
        // Saving without `keep_pipelines` does nothing, and is no error.
        open().save_pipelines().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file is left behind");
    }
}
