import Foundation
import Glibc

/// What the machine lets this user do.
enum Permission {
  /// Engines that can be tested; perf events are denied to most normal users.
  static let engines: [String] = {
    let outcome = try? Host.run(
      "WickAgentProbe", ["burn", "0.01"],
      environment: ["LD_PRELOAD": Host.agent.path, "WICK": "out=/tmp/wick-%p.wick,engine=perf"])
    guard outcome?.errors.isEmpty == true else {
      print("perf events are not permitted: only the timer engines are tested")
      return ["timer", "setitimer"]
    }
    return ["perf", "perf-signal", "timer", "setitimer"]
  }()
}
