import Testing
import WickRender

@Suite struct SourcePathsTests {
  @Test func triesTheRecordedPathThenShorterOnes() {
    let paths = SourcePaths(
      folders: ["/home/me", "."], substitutions: [.init(from: "/build", to: "/work")])
    #expect(
      paths.candidates(for: "/build/./a/b.c") == [
        "/build/./a/b.c", "/home/me/build/a/b.c", "/home/me/a/b.c", "/home/me/b.c",
        "./build/a/b.c", "./a/b.c", "./b.c", "/work/./a/b.c",
      ])
  }

  @Test func foldersAreNotLeft() {
    let paths = SourcePaths(folders: ["/safe"])
    #expect(
      paths.candidates(for: "../../etc/passwd") == [
        "../../etc/passwd", "/safe/etc/passwd", "/safe/passwd",
      ])
    #expect(paths.candidates(for: "/a/..") == ["/a/.."])
  }

  @Test func substitutionsTakeWholeComponentsAndTheFirstThatFits() {
    let paths = SourcePaths(substitutions: [
      .init(from: "/build/ab", to: "/1"), .init(from: "/build/", to: "/2/"),
      .init(from: "/build", to: "/3"),
    ])
    #expect(paths.candidates(for: "/build/abc/x.c") == ["/build/abc/x.c", "/2/abc/x.c"])
    #expect(paths.candidates(for: "/build/ab/x.c") == ["/build/ab/x.c", "/1/x.c"])
    #expect(paths.candidates(for: "/builder/x.c") == ["/builder/x.c"])
  }
}
