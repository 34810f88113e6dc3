//! The calls to Vulkan, in a process that the driver may end. All unsafe code of this program is here.
#![allow(unsafe_code, reason = "every call of Vulkan is unsafe")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::time::Instant;

use ash::{ext, khr, vk};
use batchinv::plan::GpuLimits;

use crate::compilation::Compilation;
use crate::family::Family;

/// Bindings of a program: `shaders/` declares them. Binding 3 holds the counts.
const BINDINGS: u32 = 9;
const PARAMS: u32 = 3;

/// A driver's device, which is never destroyed: the process ends with it.
pub struct Device {
    _entry: ash::Entry,
    device: ash::Device,
    executables: khr::pipeline_executable_properties::Device,
    pub family: Family,
}

/// The features of a device that wgpu asks for, of those that change how shaders are compiled.
struct Features {
    robustness2: bool,
    float64: bool,
    int64: bool,
}

impl Device {
    /// Opens the first device of the drivers that the environment names.
    pub fn open() -> Result<Self, String> {
        // SAFETY: the loader is Vulkan's, and every structure below is complete and outlives the call that reads it.
        unsafe {
            let entry = ash::Entry::load().map_err(|error| format!("there is no Vulkan loader: {error}"))?;
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let instance = entry
                .create_instance(&vk::InstanceCreateInfo::default().application_info(&application), None)
                .map_err(|error| format!("no instance: {error}"))?;
            let adapters = instance.enumerate_physical_devices().map_err(|error| format!("no device: {error}"))?;
            let adapter = *adapters.first().ok_or("the driver has no device of this family")?;
            let extensions = instance
                .enumerate_device_extension_properties(adapter)
                .map_err(|error| format!("no extensions: {error}"))?;
            let offers = |name: &CStr| extensions.iter().any(|known| known.extension_name_as_c_str() == Ok(name));
            if !offers(khr::pipeline_executable_properties::NAME) {
                return Err("the driver tells nothing of its programs".to_owned());
            }

            let mut robustness2 = vk::PhysicalDeviceRobustness2FeaturesEXT::default();
            let mut offered = vk::PhysicalDeviceFeatures2::default();
            let has_robustness2 = offers(ext::robustness2::NAME);
            if has_robustness2 {
                offered = offered.push_next(&mut robustness2);
            }
            instance.get_physical_device_features2(adapter, &mut offered);
            let core = offered.features;
            let features = Features {
                robustness2: has_robustness2 && robustness2.robust_buffer_access2 == vk::TRUE,
                float64: core.shader_float64 == vk::TRUE,
                int64: core.shader_int64 == vk::TRUE,
            };
            let family = facts(&instance, adapter, &features);
            let device = create(&instance, adapter, &features).map_err(|error| format!("no device: {error}"))?;
            let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
            Ok(Self { _entry: entry, device, executables, family })
        }
    }

    /// Compiles a program as wgpu would, and asks what came of it. With `isa` it also asks for the text.
    pub fn compile(&self, code: &[u32], entry: &str, isa: bool) -> Result<Compilation, String> {
        let name = CString::new(entry).map_err(|error| error.to_string())?;
        // SAFETY: naga has validated the module, and every structure outlives the call that reads it.
        unsafe {
            let module = self
                .device
                .create_shader_module(&vk::ShaderModuleCreateInfo::default().code(code), None)
                .map_err(|error| format!("no module: {error}"))?;
            let layout = self.layout().map_err(|error| format!("no layout: {error}"))?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                // wgpu does so on every device with subgroups.
                .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&name);
            let mut flags = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR;
            if isa {
                flags |= vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
            }
            let info = vk::ComputePipelineCreateInfo::default().flags(flags).stage(stage).layout(layout);
            let started = Instant::now();
            let pipelines = self
                .device
                .create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
                .map_err(|(_, error)| error.to_string())?;
            let seconds = started.elapsed().as_secs_f64();
            let pipeline = vk::PipelineInfoKHR::default().pipeline(pipelines[0]);
            let executables = self
                .executables
                .get_pipeline_executable_properties(&pipeline)
                .map_err(|error| format!("no executables: {error}"))?;
            let executable = executables.first().ok_or("the driver names no executable")?;
            let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipelines[0]).executable_index(0);
            let statistics = self
                .executables
                .get_pipeline_executable_statistics(&info)
                .map_err(|error| format!("no statistics: {error}"))?;
            let statistics: BTreeMap<String, f64> = statistics.iter().map(statistic).collect();
            let isa = if isa { self.assembly(&info)? } else { None };
            Ok(Compilation { seconds, subgroup: executable.subgroup_size, statistics, isa })
        }
    }

    unsafe fn layout(&self) -> Result<vk::PipelineLayout, vk::Result> {
        let bindings: Vec<_> = (0..BINDINGS)
            .map(|binding| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(match binding {
                        PARAMS => vk::DescriptorType::UNIFORM_BUFFER_DYNAMIC,
                        _ => vk::DescriptorType::STORAGE_BUFFER,
                    })
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        // SAFETY: as in the caller.
        unsafe {
            let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            let sets = [self.device.create_descriptor_set_layout(&set, None)?];
            self.device.create_pipeline_layout(&vk::PipelineLayoutCreateInfo::default().set_layouts(&sets), None)
        }
    }

    /// The text of the machine's instructions: RADV calls it "Assembly".
    unsafe fn assembly(&self, info: &vk::PipelineExecutableInfoKHR<'_>) -> Result<Option<String>, String> {
        // SAFETY: as in the caller; the second call fills buffers of the sizes that the first one gave.
        unsafe {
            let mut texts = self
                .executables
                .get_pipeline_executable_internal_representations(info)
                .map_err(|error| format!("no representations: {error}"))?;
            let mut buffers: Vec<Vec<u8>> = texts.iter().map(|text| vec![0; text.data_size]).collect();
            for (text, buffer) in texts.iter_mut().zip(&mut buffers) {
                text.p_data = buffer.as_mut_ptr().cast();
            }
            let mut count = texts.len() as u32;
            (self.executables.fp().get_pipeline_executable_internal_representations_khr)(
                self.device.handle(),
                info,
                &mut count,
                texts.as_mut_ptr(),
            )
            .result()
            .map_err(|error| format!("no representations: {error}"))?;
            let wanted = texts.iter().position(|text| {
                let name = CStr::from_ptr(text.name.as_ptr()).to_string_lossy();
                text.is_text == vk::TRUE && name.contains("Assembly")
            });
            Ok(wanted.map(|index| String::from_utf8_lossy(&buffers[index]).trim_end_matches('\0').to_owned()))
        }
    }
}

/// What plans depend on, as wgpu derives it.
unsafe fn facts(instance: &ash::Instance, adapter: vk::PhysicalDevice, features: &Features) -> Family {
    let mut sizes = vk::PhysicalDeviceSubgroupSizeControlProperties::default();
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut sizes).push_next(&mut driver);
    // SAFETY: the chain is complete and outlives the call.
    unsafe { instance.get_physical_device_properties2(adapter, &mut properties) };
    let core = properties.properties;
    let mut limits = GpuLimits::WEBGPU_DEFAULT;
    limits.binding_bytes = u64::from(core.limits.max_storage_buffer_range).min(i32::MAX as u64);
    limits.workgroups = *core.limits.max_compute_work_group_count.iter().min().unwrap_or(&0);
    limits.invocations = core.limits.max_compute_work_group_invocations.min(core.limits.max_compute_work_group_size[0]);
    limits.workgroup_bytes = core.limits.max_compute_shared_memory_size;
    limits.subgroups = Some((sizes.min_subgroup_size, sizes.max_subgroup_size));
    limits.float64 = features.float64 && features.int64;
    limits.software = core.device_type == vk::PhysicalDeviceType::CPU;
    let text = |bytes: &[std::ffi::c_char]| {
        // SAFETY: the driver ends its texts with a zero.
        unsafe { CStr::from_ptr(bytes.as_ptr()) }.to_string_lossy().into_owned()
    };
    let driver = format!("{} {}", text(&driver.driver_name), text(&driver.driver_info));
    Family { name: text(&core.device_name), driver, limits: limits.into() }
}

/// A device with the features that wgpu asks for.
unsafe fn create(
    instance: &ash::Instance,
    adapter: vk::PhysicalDevice,
    features: &Features,
) -> Result<ash::Device, vk::Result> {
    let core = vk::PhysicalDeviceFeatures::default()
        .robust_buffer_access(true)
        .shader_float64(features.float64)
        .shader_int64(features.int64);
    let mut executables =
        vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default().pipeline_executable_info(true);
    let mut robustness2 = vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
    let mut memory = vk::PhysicalDeviceZeroInitializeWorkgroupMemoryFeatures::default()
        .shader_zero_initialize_workgroup_memory(true);
    let mut subgroups = vk::PhysicalDeviceSubgroupSizeControlFeatures::default().subgroup_size_control(true);
    let mut names = vec![khr::pipeline_executable_properties::NAME.as_ptr()];
    let mut features2 = vk::PhysicalDeviceFeatures2::default()
        .features(core)
        .push_next(&mut executables)
        .push_next(&mut memory)
        .push_next(&mut subgroups);
    if features.robustness2 {
        names.push(ext::robustness2::NAME.as_ptr());
        features2 = features2.push_next(&mut robustness2);
    }
    let queues = [vk::DeviceQueueCreateInfo::default().queue_family_index(0).queue_priorities(&[1.0])];
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&queues)
        .enabled_extension_names(&names)
        .push_next(&mut features2);
    // SAFETY: the chain is complete and outlives the call.
    unsafe { instance.create_device(adapter, &info, None) }
}

/// A statistic by the driver's own name for it.
fn statistic(statistic: &vk::PipelineExecutableStatisticKHR<'_>) -> (String, f64) {
    // SAFETY: the driver ends the name with a zero, and `format` says which value it has written.
    unsafe {
        let name = CStr::from_ptr(statistic.name.as_ptr()).to_string_lossy().into_owned();
        let value = match statistic.format {
            vk::PipelineExecutableStatisticFormatKHR::BOOL32 => f64::from(statistic.value.b32),
            vk::PipelineExecutableStatisticFormatKHR::INT64 => statistic.value.i64 as f64,
            vk::PipelineExecutableStatisticFormatKHR::UINT64 => statistic.value.u64 as f64,
            _ => statistic.value.f64,
        };
        (name, value)
    }
}
