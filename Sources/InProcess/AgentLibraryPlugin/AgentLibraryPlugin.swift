import Foundation
import PackagePlugin

/// Links the agent's C sources into `libwick.so`, the library that is preloaded or injected.
///
/// SwiftPM's own dynamic product of a C target would need `libswiftCore.so` at run time, so the
/// toolchain's clang links it here: it needs `libc.so.6` and nothing else.
@main
struct AgentLibraryPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let module = target as? ClangSourceModuleTarget else { return [] }
    let all = module.sourceFiles.map(\.url)
    let sources = all.filter { $0.pathExtension == "c" }.sorted { $0.path < $1.path }
    let headers = Self.files(below: module.directoryURL, extension: "h")
    var includes = [module.directoryURL, module.directoryURL.appending(path: "include")]
    var formatHeaders: [URL] = []
    for dependency in module.dependencies {
      guard case .target(let dependency as ClangSourceModuleTarget) = dependency else { continue }
      let include = dependency.directoryURL.appending(path: "include")
      includes.append(include)
      formatHeaders += Self.files(below: include, extension: "h")
    }
    let output = context.pluginWorkDirectoryURL.appending(path: "libwick.so")
    let flags = [
      "-std=c2x", "-O2", "-g", "-fPIC", "-fvisibility=hidden", "-fno-omit-frame-pointer",
      "-ftls-model=initial-exec", "-fno-plt", "-D_GNU_SOURCE", "-DWICK_PRELOAD=1", "-Wall",
      "-Wextra", "-Werror",
    ]
    let link = [
      "-shared", "-Wl,-soname,libwick.so", "-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,--build-id=sha1",
      "-Wl,--no-undefined",
    ]
    return [
      .buildCommand(
        displayName: "Linking libwick.so",
        executable: try context.tool(named: "clang").url,
        arguments: flags + includes.map { "-I\($0.path)" } + sources.map(\.path) + link
          + ["-o", output.path],
        inputFiles: all + headers + formatHeaders,
        outputFiles: [output])
    ]
  }

  private static func files(below folder: URL, extension suffix: String) -> [URL] {
    let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let urls = walk?.compactMap { $0 as? URL } ?? []
    return urls.filter { $0.pathExtension == suffix }.sorted { $0.path < $1.path }
  }
}
