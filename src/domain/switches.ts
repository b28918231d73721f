import { recordedTeam } from './dimensions.ts';

/** What is recorded of a call. */
export interface Switches {
  readonly enabled: boolean;
  readonly tokenStatistics: boolean;
}

type ByName = Readonly<Record<string, Partial<Switches>>>;

/** Switches of all calls, and of those of some teams and services. */
export interface SwitchValues extends Partial<Switches> {
  /** By team. What is absent of one is as for all calls. */
  readonly teams?: ByName;
  /** The same by service, as `service.name` of the resource has it. A team's switch comes before it. */
  readonly services?: ByName;
}

type Scopes = ReadonlyMap<string, Partial<Switches>>;

/** The switches as they stand. The most specific one applies: of the team, of the service, of all calls. */
export class SwitchBoard {
  readonly all: Switches;
  readonly #teams: Scopes;
  readonly #services: Scopes;

  constructor(all: Switches, teams: Scopes = new Map(), services: Scopes = new Map()) {
    this.all = all;
    this.#teams = teams;
    this.#services = services;
  }

  /** Absent members stay as they are. */
  with({ enabled, tokenStatistics, teams, services }: SwitchValues): SwitchBoard {
    return new SwitchBoard(
      {
        enabled: enabled ?? this.all.enabled,
        tokenStatistics: tokenStatistics ?? this.all.tokenStatistics,
      },
      teams === undefined ? this.#teams : asRecorded(teams),
      services === undefined ? this.#services : new Map(Object.entries(services)),
    );
  }

  /** Team and service are asked for only where it matters. The team may be as the application gave it. */
  of(team: () => unknown, service: () => string): Switches {
    const { enabled, tokenStatistics } = this.all;
    if (this.#teams.size === 0 && this.#services.size === 0) return this.all;
    const ofService = this.#services.size === 0 ? undefined : this.#services.get(service());
    const name = this.#teams.size === 0 ? undefined : recordedTeam(team());
    const ofTeam = name === undefined ? undefined : this.#teams.get(name);
    return {
      enabled: ofTeam?.enabled ?? ofService?.enabled ?? enabled,
      tokenStatistics: ofTeam?.tokenStatistics ?? ofService?.tokenStatistics ?? tokenStatistics,
    };
  }
}

function asRecorded(teams: ByName): Scopes {
  return new Map(Object.entries(teams).map(([name, own]) => [recordedTeam(name) ?? name, own]));
}
