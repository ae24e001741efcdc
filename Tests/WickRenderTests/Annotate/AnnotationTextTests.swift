import Foundation
import Testing
import WickProfile

@testable import WickRender

@Suite struct AnnotationTextTests {
  private static let code = """
    static int inner(int x) {
    \treturn x * x;\u{1b}[31m // "</script>" \u{202e}
    }
    static int outer(int x) {
      int sum = 0;
      sum += inner(x);
      return sum;
    }
    int main(void) { return outer(1) + inner(2); }
    """

  static func annotation(callers: Bool = false) -> Annotation {
    let profile = AnnotatedProfile.inlined
    let source = AnnotatedProfile.source(
      profile, text: SourceText(Array(code.utf8)), extent: .init(showsCallers: callers))
    return Annotation([source], of: profile, title: "a & b")
  }

  static func text(_ annotation: Annotation, isColored: Bool = false) -> String {
    var text = ""
    annotation.writeText(isColored: isColored, to: &text)
    return text
  }

  @Test func showsValuesBesideTheLines() {
    #expect(
      Self.text(Self.annotation(callers: true)) == """
        Source     /src/a.c
        Self       10 of 10 samples, 100.00 %
        Total      10 of 10 samples, 100.00 %

          self self %  total total %  line
                                         1  static int inner(int x) {
        >    9  90.00      9   90.00     2          return x * x;\u{fffd}[31m // "</script>" \u{fffd}
                                         3  }
                                         4  static int outer(int x) {
                                         5    int sum = 0;
                           6   60.00     6    sum += inner(x);
                                         7    return sum;
                                         8  }
        >    1  10.00     10  100.00     9  int main(void) { return outer(1) + inner(2); }

        Line 2 is inlined:
          6  66.67 %  into outer at a.c:6
          3  33.33 %  not inlined

        Line 2 is called from:
          6  66.67 %  outer at a.c:6 (inlined there)
          3  33.33 %  main at a.c:9

        Accounting: 3 samples of weight 10; expected not known; lost not known; 0.00 % truncated.

        """)
  }

  @Test func colorsAreTheOnlyEscapes() {
    let colored = Self.text(Self.annotation(), isColored: true)
    let escapes = ["\u{1b}[2m", "\u{1b}[33m", "\u{1b}[1;31m", "\u{1b}[0m"]
    let plain = escapes.reduce(colored) { $0.replacingOccurrences(of: $1, with: "") }
    #expect(plain == Self.text(Self.annotation()))
    #expect(colored.contains("\u{1b}[1;31m>    9"))
    #expect(!Self.text(Self.annotation()).contains("\u{1b}"))
  }

  @Test func saysWhatIsAmiss() {
    let profile = AnnotatedProfile.inlined
    let missing = AnnotatedProfile.source(profile, text: nil)
    let text = Self.text(Annotation([missing], of: profile))
    #expect(text.contains("Warning    the source was not found"))
    #expect(text.contains("--source-dir DIR or --source-map FROM=TO"))
    #expect(text.contains("\n>    9  90.00      9   90.00     2\n"))
    let stale = AnnotatedProfile.source(
      profile, text: AnnotatedProfile.text(3), newerThan: "/bin/\u{1b}x")
    let staleText = Self.text(Annotation([stale], of: profile))
    #expect(staleText.contains("newer than /bin/\u{fffd}x: its lines may have moved"))
    #expect(staleText.contains("has only 3 lines"))
  }

  @Test func filesThatAreLeftOutAreNamed() throws {
    let profile = AnnotatedProfile.lines([([2], 1)])
    let rows = SourceTable(AnnotatedProfile.lines([([2], 1)], file: "/gone/\u{1b}")).rows
    let text = Self.text(Annotation([], skipped: rows, of: profile))
    #expect(text.hasPrefix("Left out   without their source here: "))
    #expect(text.contains("\u{fffd} 100.00 %\n\nAccounting: "))
  }

  @Test func codeOfNoLineIsCounted() {
    let profile = AnnotatedProfile.lines([([0], 3), ([2], 1)])
    let source = AnnotatedProfile.source(profile, text: AnnotatedProfile.text(2))
    let text = Self.text(Annotation([source], of: profile))
    #expect(text.contains(">    3  75.00      3   75.00     ?  (code of no line)\n"))
  }

  @Test func instructionsAreListed() {
    let profile = AnnotatedProfile.inlined
    var source = AnnotatedProfile.source(profile, text: nil)
    source.code = [
      CodeListing(
        module: "x\u{1b}",
        instructions: [
          .init(address: 0x10, byteCount: 2, text: "nop", selfValue: 9, totalValue: 9),
          .init(address: 0x12, byteCount: 2, text: "ret", isOfLine: false),
          .init(address: 0x20, byteCount: 1, text: "int3"),
        ]), CodeListing(module: "gone", problem: "the file that ran is not at /gone"),
    ]
    let text = Self.text(Annotation([source], of: profile))
    #expect(
      text.contains(
        """
        Instructions of line 2 in x\u{fffd}:
          self self %  total total %  line
        >    9  90.00      9   90.00    10  nop
                                        12  ret
                                         …
                                        20  int3

        Instructions of line 2 in gone:
          the file that ran is not at /gone

        """))
  }

  @Test func manyCallersAreOnlyCounted() {
    let profile = AnnotatedProfile.lines((1...30).map { ([100 + $0, 7], 1) })
    let source = AnnotatedProfile.source(profile, text: nil, extent: .init(showsCallers: true))
    #expect(Self.text(Annotation([source], of: profile)).contains("\n  and 10 more\n"))
  }
}
