// Draws flattened spheres, each lit with its normal matrix or, to show the error, with its transform.

struct View {
    camera: mat4x4<f32>,
    eye: vec4<f32>,
}

struct Instance {
    // Rows of the 3x4 transform.
    x: vec4<f32>,
    y: vec4<f32>,
    z: vec4<f32>,
    color: vec4<f32>,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read> instances: array<Instance>;
@group(0) @binding(2) var<storage, read> normal_matrices: array<mat3x3<f32>>;

override by_cofactors: bool;

struct Petal {
    @builtin(position) position: vec4<f32>,
    @location(0) normal: vec3<f32>,
    @location(1) to_eye: vec3<f32>,
    @location(2) color: vec3<f32>,
}

@vertex
fn petal(@location(0) point: vec3<f32>, @builtin(instance_index) index: u32) -> Petal {
    let own = instances[index];
    let p = vec4(point, 1.0);
    let place = vec3(dot(own.x, p), dot(own.y, p), dot(own.z, p));
    // A point of the unit sphere is its own normal.
    var normal = vec3(dot(own.x.xyz, point), dot(own.y.xyz, point), dot(own.z.xyz, point));
    if by_cofactors {
        normal = normal_matrices[index] * point;
    }
    // Not normalized yet: where a flat petal turns over, its normal is zero, and the points beside it decide.
    return Petal(view.camera * vec4(place, 1.0), normal, view.eye.xyz - place, own.color.rgb);
}

@fragment
fn light(in: Petal) -> @location(0) vec4<f32> {
    let normal = normalize(in.normal);
    let sun = normalize(vec3(-0.7, 0.9, 0.25));
    let halfway = normalize(sun + normalize(in.to_eye));
    let sky = mix(vec3(0.05, 0.03, 0.06), vec3(0.20, 0.24, 0.34), 0.5 + 0.5 * normal.y);
    let diffuse = vec3(1.35, 1.25, 1.1) * max(dot(normal, sun), 0.0);
    let shine = 0.35 * pow(max(dot(normal, halfway), 0.0), 40.0);
    return vec4(in.color * (sky + diffuse) + shine, 1.0);
}
