// showVerdict brings the outcome of a test into view. A test with all that was
// sent may be taller than the window; its outcome stands at the top of it.
export function showVerdict(test) {
  (test.querySelector("[role=status]") ?? test).scrollIntoView({ block: "nearest" });
}
