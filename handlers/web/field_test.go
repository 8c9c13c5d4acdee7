package web

import "testing"

func TestFieldIsDescribedByWhatIsShown(t *testing.T) {
	faults, none := Faults{"url": "Enter a URL.", "mode": "Choose one."}, Faults(nil)
	for _, test := range []struct {
		name  string
		field Field
		want  string
	}{
		{"nothing", NewField("url", "URL", none), ""},
		{"empty help", NewField("url", "URL", none, ""), ""},
		{"help", NewField("url", "URL", none, "One.", "Two."), "url-help"},
		{"a fault", NewField("url", "URL", faults), "url-err"},
		{"a fault of another", NewField("name", "Name", faults), ""},
		{"a fault that it shows for another", NewField("tags", "Tags", none).Refuse(faults["mode"]), "tags-err"},
		{"all", NewField("url", "URL", faults, "One.").Warn(faults), "url-help url-err url-warning"},
		{"help of the page", Field{ID: "url", HelpIDs: "url-hint url-about", Fault: "no"}, "url-hint url-about url-err"},
	} {
		if got := test.field.Described(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if f := NewField("url", "URL", faults, "One.", "Two.").Refuse("Second."); f.Fault != "Enter a URL." || f.Help != "One. Two." {
		t.Errorf("fault %q, help %q", f.Fault, f.Help)
	}
}
