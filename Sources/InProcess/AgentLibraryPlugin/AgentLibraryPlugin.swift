import Foundation
import PackagePlugin

/// Links the agent's C sources into `libwick.so`, the library that is preloaded or injected, and into
/// `libwick-malloc.so`, which is preloaded to see allocations from the first instruction on: the same
/// agent, which stands before malloc and its kin by their names.
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
    let clang = try context.tool(named: "clang").url
    let arguments = includes.map { "-I\($0.path)" } + sources.map(\.path)
    return Self.libraries.map { name, flags in
      let output = context.pluginWorkDirectoryURL.appending(path: name)
      return .buildCommand(
        displayName: "Linking \(name)", executable: clang,
        arguments: Self.flags + flags + arguments + Self.link
          + ["-Wl,-soname,\(name)", "-o", output.path],
        inputFiles: all + headers + formatHeaders, outputFiles: [output])
    }
  }

  /// The libraries, and what sets each apart.
  private static let libraries = [
    (name: "libwick.so", flags: [String]()),
    (name: "libwick-malloc.so", flags: ["-DWICK_INTERPOSE=1"]),
  ]

  private static let flags = [
    "-std=c2x", "-O2", "-g", "-fPIC", "-fvisibility=hidden", "-fno-omit-frame-pointer",
    "-momit-leaf-frame-pointer", "-ftls-model=initial-exec", "-fno-plt", "-D_GNU_SOURCE",
    "-DWICK_PRELOAD=1", "-Wall", "-Wextra", "-Werror",
  ]

  private static let link = [
    "-shared", "-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,--build-id=sha1", "-Wl,--no-undefined",
  ]

  private static func files(below folder: URL, extension suffix: String) -> [URL] {
    let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let urls = walk?.compactMap { $0 as? URL } ?? []
    return urls.filter { $0.pathExtension == suffix }.sorted { $0.path < $1.path }
  }
}
