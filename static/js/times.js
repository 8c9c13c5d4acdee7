// Pages show times in UTC, as everybody's are. The browser's own time stands
// below it in what shows when a time is pointed at.
export function serveTimes() {
  document.addEventListener("pointerover", (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (!time || time.dataset.local) return;
    const at = new Date(time.dateTime);
    time.dataset.local = at.toLocaleString(document.documentElement.lang, {
      month: "short", day: "numeric", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
    });
    time.title = `${time.title}\n${time.dataset.local}, your time`;
  });
}
