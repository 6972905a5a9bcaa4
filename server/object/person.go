// People as a document describes them: an account with its devices and numbers.

package object

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Person is an account with its devices and numbers.
type Person struct {
	User    string            `json:"-"`
	Name    string            `json:"name" is:"text" doc:"What is shown to who is called."`
	Devices []string          `json:"devices" is:"account" doc:"The users of its devices. Without a value it is one that is called like the account."`
	Numbers []string          `json:"numbers" is:"e164" doc:"Its telephone numbers; FIRST-LAST is a block."`
	Secrets map[string]string `json:"secrets" doc:"Secrets of devices that are added, as env:NAME or file:PATH. A device without one is given one, which is shown once."`
}

// Check reports what is wrong with a person by itself, as [Faults].
func (p *Person) Check() error {
	fault := func(field, format string, args ...any) error {
		return Faults{{Kind: "account", Name: p.User, Field: field, Problem: fmt.Sprintf(format, args...)}}
	}
	if err := CheckUser(p.User); err != nil {
		return fault("user", "%q %v", p.User, err)
	}
	if err := CheckName(p.Name); err != nil {
		return fault("name", "%v", err)
	}
	for i, device := range p.Devices {
		if err := CheckUser(device); err != nil {
			return fault("devices", "%q %v", device, err)
		}
		if slices.Contains(p.Devices[:i], device) {
			return fault("devices", "%s is named twice; keep one", device)
		}
	}
	for i, number := range p.Numbers {
		if !sip.IsGlobalNumber(number) {
			return fault("numbers", "%q is no number; write + and the digits with the country code, such as +4930123456", number)
		}
		if i > 0 && p.Numbers[i-1] == number {
			return fault("numbers", "%s is named twice; keep one", number)
		}
	}
	for device := range p.Secrets {
		if !slices.Contains(p.Devices, device) {
			return fault("secrets", "the account has no device %s; name one of %s", device, strings.Join(p.Devices, ", "))
		}
	}
	return nil
}

// maxBlock is how many numbers a block may have.
const maxBlock = 10_000

// Expand returns the numbers of "+4930100" or of the block "+4930100-+4930199".
func Expand(block string) ([]string, error) {
	first, last, several := strings.Cut(block, "-")
	if !several {
		last = first
	}
	for _, n := range []string{first, last} {
		if !sip.IsGlobalNumber(n) {
			return nil, fmt.Errorf("number %q is none; write + and the digits with the country code, such as +4930123456", n)
		}
	}
	from, to := digitsOf(first), digitsOf(last)
	if len(first) != len(last) || to < from || to-from >= maxBlock {
		return nil, fmt.Errorf("%s is no block of numbers; write the first and the last number in full, at most 10,000 apart", block)
	}
	numbers := make([]string, 0, to-from+1)
	for n := from; n <= to; n++ {
		numbers = append(numbers, "+"+strconv.FormatUint(n, 10))
	}
	return numbers, nil
}

// digitsOf is a number that has been checked, as a number.
func digitsOf(number string) uint64 {
	n, _ := strconv.ParseUint(number[1:], 10, 64) // 15 digits fit
	return n
}

// Blocks writes numbers in order, those that follow each other as blocks.
func Blocks(numbers []string) (all []string) {
	for i := 0; i < len(numbers); {
		end := i + 1
		for end < len(numbers) && len(numbers[end]) == len(numbers[i]) && digitsOf(numbers[end]) == digitsOf(numbers[end-1])+1 && end-i < maxBlock {
			end++
		}
		if end-i < 3 {
			end = i + 1
			all = append(all, numbers[i])
		} else {
			all = append(all, numbers[i]+"-"+numbers[end-1])
		}
		i = end
	}
	return all
}
