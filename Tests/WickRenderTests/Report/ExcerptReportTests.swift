import Foundation
import Testing
import WickProfile
import WickRender

/// Reports of a part of a profile say what part it is, and keep the accounts of the whole.
@Suite struct ExcerptReportTests {
  private var part: Profile {
    get throws {
      HotFunctionReportTests.recorded.filtered(
        by: ProfileFilter(
          focus: [try FramePattern("serve")], ignore: [try FramePattern("/mem set/")],
          hide: [try FramePattern("main")]))
    }
  }

  @Test func textSaysWhatIsShown() throws {
    #expect(
      HotFunctionReportTests.text(try part, column: 1) == """
        Process    4711, stopped: server --port 80
        Engine     thread CPU timer
        Fallback   perf_event_open: not permitted
        Rate       99 Hz requested, 95.10 Hz delivered
        Duration   2.000 s
        CPU time   1.020 s used, 0.980 s sampled, 0.040 s (3.94 %) not sampled
        Samples    4, weight 97
        Lost       3 (ring full 2, stack table full 1) of the weight
        Truncated  7 of the weight, 7.22 %
        Blocked    thread 4713 deaf blocks the sampling signal: 30.000 ms not sampled
        Filter     showing 92.78 % of 979.798 ms cpu: --focus serve --ignore '/mem set/' --hide main

        Showing the top 2 of 2 functions: 100.00 % of 909.091 ms cpu

              self  self %       total  total %  function           module
        606.061 ms   66.67  606.061 ms    66.67  memcpy             libc.so.6
        303.030 ms   33.33  909.091 ms   100.00  serve(_: Request)  server

        Accounting: 4 samples of weight 97; expected 101; \
        lost 3 (ring full 2, stack table full 1); 7.22 % truncated; 50.00 % by frame pointer; \
        3.94 % unsampled CPU; \
        showing 92.78 % of 979.798 ms cpu: --focus serve --ignore '/mem set/' --hide main.

        """)
  }

  @Test func jsonSaysWhatIsShown() throws {
    let part = try part
    let reports: [any ProfileReport] = [
      HotFunctionReport(part), HotLineReport(part), GroupReport(part, by: .thread),
      CallTreeReport(part),
    ]
    for report in reports {
      var text = ""
      report.writeJSON(to: &text)
      let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
      let object = try #require(value as? [String: Any])
      #expect(object["total"] as? Int == 90)
      let filter = try #require(object["filter"] as? [String: Any])
      #expect(filter["focus"] as? [String] == ["serve"])
      #expect(filter["ignore"] as? [String] == ["/mem set/"])
      #expect(filter["hide"] as? [String] == ["main"])
      #expect(filter["unmatched"] as? [String] == ["/mem set/"])
      #expect(filter["wholeTotal"] as? Int == 97)
      #expect(filter["percent"] as? Double == 92.78)
      let accounting = try #require(object["accounting"] as? [String: Any])
      #expect(accounting["weight"] as? Int == 97 && accounting["expectedWeight"] as? Int == 101)
    }
  }

  @Test func patternsAreHarmless() throws {
    let part = HotFunctionReportTests.recorded.filtered(
      by: ProfileFilter(ignore: [try FramePattern("\u{1b}[31m")]))
    let text = try #require(part.excerptText())
    #expect(text == "showing 100.00 % of 97 samples: --ignore \u{fffd}[31m")
  }

  @Test func wholeProfilesSayNothing() {
    #expect(HotFunctionReportTests.recorded.excerptText() == nil)
    #expect(!HotFunctionReportTests.text(HotFunctionReportTests.recorded).contains("showing"))
  }

  @Test func nothingLeftIsAnEmptyReport() throws {
    let none = HotFunctionReportTests.recorded.filtered(
      by: ProfileFilter(focus: [try FramePattern("nope")]))
    let text = HotFunctionReportTests.text(none)
    #expect(text.contains("Filter     showing 0.00 % of 97 samples: --focus nope\n"))
    #expect(text.contains("Showing the top 0 of 0 functions: 0.00 % of 0 samples"))
    #expect(CallTreeReportTests.text(none).contains("Left out: nothing"))
  }
}
