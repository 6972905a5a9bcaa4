// `sipwerk account number`: the telephone numbers of an account.

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/server/store"
)

func (p *program) newAccountNumber() *cobra.Command {
	c := &cobra.Command{
		Use:   "number",
		Short: p.tr("Give numbers to an account, or take them away"),
		Long: p.tr("Whoever calls a number calls its account. A telephone system that registers as the account for all of its numbers at once (RFC 6140) is called by the number that was dialled.\n" +
			"A number is + and digits with the country code; FIRST-LAST is a block."),
	}
	c.AddCommand(
		p.newNumberChange("add", p.tr("Give numbers to an account"), p.tr("%d numbers lead to %s@%s\n"), (*store.Store).AddNumbers),
		p.newNumberChange("remove", p.tr("Take numbers from an account"), p.tr("%d numbers do not lead to %s@%s any more\n"), (*store.Store).RemoveNumbers),
	)
	return c
}

func (p *program) newNumberChange(verb, short, done string, change func(s *store.Store, ctx context.Context, domain, account string, numbers []string) error) *cobra.Command {
	c := &cobra.Command{
		Use:     verb + " USER NUMBER...",
		Short:   short,
		Example: examples("sipwerk account number "+verb+" pbx +12145550100", "sipwerk account number "+verb+" pbx +12145550100-+12145550199 +12145551000"),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) >= 2 {
				return nil
			}
			return p.exactly("USER", "NUMBER")(c, args)
		},
	}
	load := p.settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		numbers, err := p.numbers(args[1:])
		if err != nil {
			return err
		}
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		if err := change(a.Store, c.Context(), a.domain, user, numbers); err != nil {
			if errors.Is(err, store.ErrExists) {
				return fmt.Errorf("%w; %s", err, p.tr("`sipwerk account list` shows what there is"))
			}
			return p.accountError(err)
		}
		p.printf(done, len(numbers), user, a.domain)
		return nil
	}
	return c
}

// errBlock says that a block of numbers is none.
var errBlock = errors.New("is no block of numbers")

// numbers reads numbers and blocks of them.
func (p *program) numbers(args []string) (all []string, err error) {
	for _, arg := range args {
		first, last, block := strings.Cut(arg, "-")
		if !block {
			last = first
		}
		if err := store.CheckNumbers([]string{first, last}); err != nil {
			return nil, err
		}
		from, to := value(first), value(last)
		if len(first) != len(last) || to < from || to-from >= store.MaxNumbers {
			return nil, fmt.Errorf("%s %w; %s", arg, errBlock, p.tr("write the first and the last number in full, at most 10,000 apart"))
		}
		for n := from; n <= to; n++ {
			all = append(all, "+"+strconv.FormatUint(n, 10))
		}
	}
	return all, nil
}

// value is a number that has been checked, as a number.
func value(number string) uint64 {
	n, _ := strconv.ParseUint(number[1:], 10, 64) // 15 digits fit
	return n
}

// blocks writes numbers in order, those that follow each other as blocks.
func blocks(numbers []string) string {
	var all []string
	for i := 0; i < len(numbers); {
		end := i + 1
		for end < len(numbers) && len(numbers[end]) == len(numbers[i]) && value(numbers[end]) == value(numbers[end-1])+1 {
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
	return strings.Join(all, " ")
}
