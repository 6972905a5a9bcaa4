// `sipwerk account`: people and their telephones, kept in the data folder. A running server knows of a change at once.

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
)

func (p *program) newAccount() *cobra.Command {
	c := &cobra.Command{
		Use:   "account",
		Short: p.Text("Add, list and remove accounts"),
		Long: p.Text("An account is someone who can be called. It has devices, each with its own SIP user and secret; `account add` makes the first one.\n" +
			"The commands work while a server runs in the same data folder: what they change is in force when they end, if it answers."),
	}
	calls := objects{program: p, kind: object.KindNamed("account")}
	c.AddCommand(calls.newSet(), calls.newShow())
	c.AddCommand(p.newAccountAdd(), p.newAccountList(), p.newAccountRemove(), p.newAccountRename(), p.newAccountPassword(), p.newAccountNumber(), p.newAccountImport(), p.newAccountTurn())
	return c
}

// account is how a listing shows one.
type account struct {
	Domain  string    `json:"domain"`
	User    string    `json:"user"`
	Name    string    `json:"name"`
	Devices []device  `json:"devices"`
	Numbers []string  `json:"numbers,omitempty"`
	Created time.Time `json:"created"`
}

type device struct {
	User    string    `json:"user"`
	Created time.Time `json:"created"`
}

// credentials is what a telephone must be told.
type credentials struct {
	Domain  string `json:"domain"`
	Account string `json:"account"`
	User    string `json:"user"`
	Secret  string `json:"secret,omitempty"`
}

// accounts is an open data folder with the domain that was asked for.
type accounts struct {
	*store.Store
	domain  string
	config  *config.Config
	program *program
}

// open opens the data folder for users of a domain; user may say "alice@example.org", otherwise it is the configured domain or the first one.
func (p *program) open(ctx context.Context, load func() (*config.Config, error), user *string) (*accounts, error) {
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	if local, domain, ok := strings.Cut(strings.TrimPrefix(*user, "sip:"), "@"); ok {
		*user, cfg.Domain = local, domain
	}
	st, err := store.Open(ctx, cfg.Data)
	if err != nil {
		return nil, err
	}
	d, _, err := server.FirstDomain(ctx, st, cfg)
	if err != nil {
		st.Close()
		return nil, err
	}
	return &accounts{st, d.Name, cfg, p}, nil
}

// refreshTime is how long a command waits for the running server to know what it has changed, which may be 20,000 accounts; a server that is slower finds out by itself.
const refreshTime = 30 * time.Second

// Close closes the data folder, and tells the server that runs on it of what was changed: it is in force when the command has ended, or a line says why not. What is changed is on the
// disk all the same: the command has not failed.
func (a *accounts) Close() error {
	if a.Changed() {
		err := a.refresh()
		if err != nil && (!errors.Is(err, control.ErrNoServer) || errors.Is(err, context.DeadlineExceeded)) {
			fmt.Fprint(a.program.Err, a.program.Text("this is saved, but the running server has not confirmed that it knows of it; it looks twice a second by itself: %s\n", err))
		}
	}
	return a.Store.Close()
}

// refresh has the server take up what was changed.
func (a *accounts) refresh() error {
	way, err := server.DialControl(a.config.Data)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), refreshTime)
	defer cancel()
	var o server.RefreshOrder
	o.Trunks, o.All = a.ChangedObjects("trunk")
	return way.Do(ctx, "POST", "/refresh", o, a.warn)
}

// warn tells of a trunk that the server cannot use as it is set now.
func (a *accounts) warn(line json.RawMessage) error {
	var t carrier.Status
	if err := json.Unmarshal(line, &t); err != nil {
		return err
	}
	fmt.Fprint(a.program.Err, a.program.Text("the trunk %s cannot be used as it is set: %s\n", t.Trunk, t.Problem))
	return nil
}

// with is a command on the data folder: f gets it open, and the user whom the first argument names, if there is one.
func (p *program) with(load func() (*config.Config, error), f func(c *cobra.Command, a *accounts, user string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		user := ""
		if len(args) > 0 {
			user = args[0]
		}
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		return f(c, a, user)
	}
}

func (p *program) newAccountAdd() *cobra.Command {
	var name, suffix string
	var stdin bool
	c := &cobra.Command{
		Use:   "add USER",
		Short: p.Text("Add an account, or a device to one"),
		Long:  p.Text("Adds an account with its first device and shows the secret of the device, once. With --device it adds one more device to an account that exists."),
		Example: terminal.Examples("sipwerk account add alice --name 'Alice Adams'", "sipwerk account add alice@example.org", "sipwerk account add alice --device desk",
			"echo \"$SECRET\" | sipwerk account add alice --stdin"),
		Args: p.Exactly("USER"),
	}
	load := p.Settings(c, "data", "domain")
	c.Flags().StringVar(&name, "name", "", p.Text("display name"))
	c.Flags().StringVar(&suffix, "device", "", p.Text("add the device USER-DEVICE to the account USER"))
	c.Flags().BoolVar(&stdin, "stdin", false, p.Text("read the secret from standard input instead of making one"))
	out := p.Report(c)
	c.RunE = p.with(load, func(c *cobra.Command, a *accounts, user string) error {
		secret, err := p.secret(stdin)
		if err != nil {
			return err
		}
		cred := credentials{Domain: a.domain, Account: user, User: user, Secret: secret}
		if suffix != "" {
			cred.User = user + "-" + suffix
			err = a.AddDevice(c.Context(), a.domain, user, cred.User, cred.Secret)
		} else {
			err = a.AddAccount(c.Context(), store.Account{Domain: a.domain, User: user, Name: name}, cred.Secret)
		}
		if err != nil {
			return p.accountError(err)
		}
		return p.show(out, cred, stdin)
	})
	return c
}

// secret makes one, or reads the first line of standard input.
func (p *program) secret(stdin bool) (string, error) {
	if !stdin {
		return store.NewSecret(), nil
	}
	line, err := bufio.NewReader(io.LimitReader(p.In, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// show writes what a telephone must be told. A secret that was given by the user is not shown again.
func (p *program) show(out *terminal.Report, cred credentials, given bool) error {
	if given {
		cred.Secret = ""
	}
	if out.JSON {
		return out.Encode(cred)
	}
	p.Printf("user    %s\ndomain  %s\n", cred.User, cred.Domain)
	if !given {
		p.Printf("secret  %s\nThe secret is shown this once and not kept.\n", cred.Secret)
	}
	return nil
}

// accountError adds the cure to an error of the store.
func (p *program) accountError(err error) error {
	switch {
	case errors.Is(err, store.ErrExists):
		return fmt.Errorf("%w; %s", err, p.Text("choose another user, or give it a new secret with `sipwerk account password`"))
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("%w; %s", err, p.Text("`sipwerk account list` shows what there is"))
	}
	return err
}

func (p *program) newAccountList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   p.Text("List accounts and their devices"),
		Example: terminal.Examples("sipwerk account list", "sipwerk account list --json | jq -r '.[].user'"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c, "data", "domain")
	out := p.Report(c)
	c.RunE = p.with(load, func(c *cobra.Command, a *accounts, _ string) error {
		if out.JSON {
			return terminal.WriteArray(p.Out, listed(c.Context(), a))
		}
		return p.listText(c.Context(), a)
	})
	return c
}

func (p *program) listText(ctx context.Context, a *accounts) error {
	w := p.Table()
	defer w.Flush()
	fmt.Fprintln(w, p.Text("ACCOUNT\tNAME\tDEVICES\tNUMBERS"))
	for acc, err := range a.Accounts(ctx, a.domain) {
		if err != nil {
			return err
		}
		var users []string
		for _, d := range acc.Devices {
			users = append(users, d.User)
		}
		fmt.Fprintf(w, "%s@%s\t%s\t%s\t%s\n", acc.User, acc.Domain, acc.Name, strings.Join(users, " "), strings.Join(object.Blocks(acc.Numbers), " "))
	}
	return nil
}

// listed are the accounts as JSON shows them.
func listed(ctx context.Context, a *accounts) iter.Seq2[account, error] {
	return func(yield func(account, error) bool) {
		for acc, err := range a.Accounts(ctx, a.domain) {
			out := account{Domain: acc.Domain, User: acc.User, Name: acc.Name, Devices: []device{}, Numbers: acc.Numbers, Created: acc.Created}
			for _, d := range acc.Devices {
				out.Devices = append(out.Devices, device(d))
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

func (p *program) newAccountRemove() *cobra.Command {
	var suffix string
	c := &cobra.Command{
		Use:     "remove USER",
		Aliases: []string{"rm"},
		Short:   p.Text("Remove an account with its devices, or one device"),
		Example: terminal.Examples("sipwerk account remove alice", "sipwerk account remove alice --device desk"),
		Args:    p.Exactly("USER"),
	}
	load := p.Settings(c, "data", "domain")
	p.completeUsers(c, load)
	c.Flags().StringVar(&suffix, "device", "", p.Text("remove only the device USER-DEVICE"))
	c.RunE = p.with(load, func(c *cobra.Command, a *accounts, user string) error {
		var err error
		if suffix != "" {
			user += "-" + suffix
			err = a.RemoveDevice(c.Context(), a.domain, user)
		} else {
			err = a.RemoveAccount(c.Context(), a.domain, user)
		}
		if err != nil {
			return p.accountError(err)
		}
		p.Printf("%s@%s is removed\n", user, a.domain)
		return nil
	})
	return c
}

func (p *program) newAccountRename() *cobra.Command {
	c := &cobra.Command{
		Use:     "rename USER NAME",
		Short:   p.Text("Give an account another display name"),
		Example: terminal.Examples("sipwerk account rename alice 'Alice Baker'", "sipwerk account rename alice ''"),
		Args:    p.Exactly("USER", "NAME"),
	}
	load := p.Settings(c, "data", "domain")
	p.completeUsers(c, load)
	c.RunE = p.with(load, func(c *cobra.Command, a *accounts, user string) error {
		name := c.Flags().Arg(1)
		if err := a.SetName(c.Context(), a.domain, user, name); err != nil {
			return p.accountError(err)
		}
		p.Printf("%s@%s is called %q\n", user, a.domain, name)
		return nil
	})
	return c
}

func (p *program) newAccountPassword() *cobra.Command {
	var stdin bool
	c := &cobra.Command{
		Use:     "password USER",
		Short:   p.Text("Give a device a new secret"),
		Long:    p.Text("Gives a device (USER, or USER-DEVICE) a new secret and shows it, once. The old one is worthless from then on."),
		Example: terminal.Examples("sipwerk account password alice", "sipwerk account password alice-desk", "echo \"$SECRET\" | sipwerk account password alice --stdin"),
		Args:    p.Exactly("USER"),
	}
	load := p.Settings(c, "data", "domain")
	p.completeUsers(c, load)
	c.Flags().BoolVar(&stdin, "stdin", false, p.Text("read the secret from standard input instead of making one"))
	out := p.Report(c)
	c.RunE = p.with(load, func(c *cobra.Command, a *accounts, user string) error {
		secret, err := p.secret(stdin)
		if err != nil {
			return err
		}
		cred := credentials{Domain: a.domain, Account: user, User: user, Secret: secret}
		if err := a.SetSecret(c.Context(), a.domain, user, cred.Secret); err != nil {
			return p.accountError(err)
		}
		return p.show(out, cred, stdin)
	})
	return c
}
