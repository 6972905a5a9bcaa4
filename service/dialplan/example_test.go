package dialplan_test

import (
	"fmt"
	"time"

	"github.com/sipwerk/sipwerk/service/dialplan"
)

// empty is a house in which nobody lives, with a trunk.
type empty struct{}

func (empty) Place(string) (dialplan.Place, bool) { return dialplan.Place{}, false }
func (empty) HasTrunk() bool                      { return true }

// A call abroad from a plan that allows calls in Germany and nothing else.
func ExamplePlan_Decide() {
	plan, err := dialplan.Compile(dialplan.Settings{Country: "DE", AreaCode: "30", TimeZone: "Europe/Berlin", House: empty{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	call := dialplan.Call{Caller: dialplan.Caller{Account: "200"}, Dialled: "0033123456789", At: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	decision := plan.Decide(call)
	fmt.Println(decision.Summary())
	for _, step := range decision.Steps {
		fmt.Println("-", step)
	}
	// Output:
	// refuse:country
	// - 200 calls 0033123456789
	// - 0033123456789 is the number +33123456789
	// - it belongs to FR, class ordinary
	// - the call is refused with 403: country
}
