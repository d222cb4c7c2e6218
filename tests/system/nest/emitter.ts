// What the bench compares with: an order is taken over HTTP and emitted to topic `order`, and that is all.
import 'reflect-metadata';
import { Body, Controller, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientKafka, ClientsModule } from '@nestjs/microservices';
import { Log, print, producer, run } from './kafka';

@Controller()
class Orders {
  constructor(@Inject('emitter') private readonly kafka: ClientKafka) {}

  // Answered once Kafka has acknowledged it: Nest waits for what is returned.
  @Post()
  place(@Body() order: unknown) {
    return this.kafka.emit('order', order);
  }
}

@Module({ imports: [ClientsModule.register([producer('emitter')])], controllers: [Orders] })
class App {}

run(async () => {
  const app = await NestFactory.create(App, { logger: new Log() });
  // Before anybody is served, so that the first order is as quick as the others.
  await app.get<ClientKafka>('emitter').connect();
  await app.listen(Number(process.env.PORT), '127.0.0.1');
  print({ listening: await app.getUrl() });
});
